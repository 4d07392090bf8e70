-- The changes after a sequence number, in order.
-- KEYS: seq, origin, records, log
-- ARGV: the number, maximum number of entries
-- Returns the newest number, and for each entry: its name in the log, its number, its record. The newest number is
-- empty if the given number belongs to a projection that this one has replaced.
local newest, origin = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
local fault = lost(newest, origin, KEYS[3], KEYS[4])
if fault then return redis.error_reply(fault) end
if tonumber(ARGV[1]) < tonumber(origin) then return { '', {} } end
local found = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local entries = {}
for i = 1, #found, 2 do
  entries[#entries + 1] = { found[i], found[i + 1], redis.call('HGET', KEYS[3], found[i]) or '' }
end
return { newest, entries }
