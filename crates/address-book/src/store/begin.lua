-- Begins a projection anew, with nothing in it.
-- KEYS: layout, source, seq, origin, then all that goes
-- ARGV: layout, source
-- Sequence numbers go on from the time in microseconds, beyond those of any projection before: what was read while one of those
-- was there is never taken for new. Redis counts them without loss until the year 2112.
local now = redis.call('TIME')
for i = 5, #KEYS do redis.call('UNLINK', KEYS[i]) end
local first = string.format('%d%06d', now[1], now[2])
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], first)
redis.call('SET', KEYS[4], first)
