-- What has changed after a sequence number, in order.
-- KEYS: seq, log, records
-- ARGV: the number, most entries
-- Returns the newest number, and of each entry: name in the log, its number, its record.
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local entries = {}
for i = 1, #found, 2 do
  entries[#entries + 1] = { found[i], found[i + 1], redis.call('HGET', KEYS[3], found[i]) or '' }
end
return { redis.call('GET', KEYS[1]) or '0', entries }
