-- What has changed after a sequence number, in order.
-- KEYS: seq, log, records
-- ARGV: the number, most entries
-- Returns the newest number, then of each entry: name in the log, its number, its record.
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local answer = { redis.call('GET', KEYS[1]) or '0' }
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[3], found[i]) or ''
end
return answer
