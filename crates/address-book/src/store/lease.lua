-- Takes or renews the lease. A key that is not a valid lease would exclude every process for ever, so it is deleted.
-- KEYS: lease, open, alive
-- ARGV: caller, milliseconds of the lease, milliseconds of `open`
-- Returns 1 to the holder, 0 to others.
--
-- If Redis took no writes for a time, the projection may lack writes that the directory took in that time: the
-- projection is out of service until the next heartbeat.
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('DEL', KEYS[3]) end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and (kind ~= 'string' or redis.call('PTTL', KEYS[1]) < 0) then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
