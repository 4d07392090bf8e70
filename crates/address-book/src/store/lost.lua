-- Returns an error if the projection has lost data, otherwise nothing. A complete projection has as many records as
-- lines in the log, and the log ends with the newest number. A write into an incomplete projection would hide the loss.
local function lost(newest, origin, records, log)
  if not newest or not tonumber(newest) then return 'CORRUPT: the newest sequence number is missing' end
  if not origin or not tonumber(origin) then return 'CORRUPT: the first sequence number is missing' end
  local first = redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) <= tonumber(origin) or tonumber(newest) < tonumber(origin) then
    return 'CORRUPT: the log has a sequence number before the first one'
  end
  if redis.call('HLEN', records) ~= redis.call('ZCARD', log) then return 'CORRUPT: records and log do not match' end
  local last = redis.call('ZRANGE', log, -1, -1, 'WITHSCORES')[2] or origin
  if tonumber(last) ~= tonumber(newest) then return 'CORRUPT: the log does not end with the newest sequence number' end
end

