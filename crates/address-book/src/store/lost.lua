-- What the projection has lost, as an error; nothing where it is whole: as many records as lines in the log, which ends
-- with the newest number. Whoever wrote into what is left of it would hide the loss.
local function lost(newest, origin, records, log)
  if not newest or not tonumber(newest) then return 'CORRUPT: the newest number is gone' end
  if not origin or not tonumber(origin) then return 'CORRUPT: the first number is gone' end
  local first = redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) <= tonumber(origin) or tonumber(newest) < tonumber(origin) then
    return 'CORRUPT: the first number is not the first'
  end
  if redis.call('HLEN', records) ~= redis.call('ZCARD', log) then return 'CORRUPT: records or the log are gone' end
  local last = redis.call('ZRANGE', log, -1, -1, 'WITHSCORES')[2] or origin
  if tonumber(last) ~= tonumber(newest) then return 'CORRUPT: the log does not end with the newest number' end
end

