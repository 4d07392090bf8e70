-- Records that the projection is in step with the directory.
-- KEYS: lease, layout, epoch, home, alive, cookie, heartbeats
-- ARGV: holder of the lease, layout, epoch, identity of this Redis process, lifetime in milliseconds, cookie
-- Returns 1, or 0 if another process feeds or the projection is not the one that the caller fed.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local epoch = redis.call('GET', KEYS[3])
if epoch and epoch ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[3], ARGV[3])
redis.call('SET', KEYS[4], ARGV[4])
redis.call('SET', KEYS[5], '1', 'PX', ARGV[5])
redis.call('SET', KEYS[6], ARGV[6])
redis.call('INCR', KEYS[7])
return 1
