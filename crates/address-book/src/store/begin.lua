-- Begins a new, empty projection.
-- KEYS: layout, source, generation, seq, origin, then all keys to delete
-- ARGV: layout, source, generation
-- Sequence numbers start from the time in microseconds, above those of any earlier projection: a state that was read
-- during an earlier projection is never taken as new. Redis counts them exactly until the year 2112.
local now = redis.call('TIME')
for i = 6, #KEYS do redis.call('UNLINK', KEYS[i]) end
local first = string.format('%d%06d', now[1], now[2])
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[3])
redis.call('SET', KEYS[4], first)
redis.call('SET', KEYS[5], first)
