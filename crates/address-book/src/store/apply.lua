-- Records the present state of entries, or their removal.
-- KEYS: layout, source, home, seq, origin, records, log
-- ARGV: layout, source, identity of this Redis process, then for each entry: id, condition, tenant, body (empty: the
-- entry is gone)
-- Conditions: a number (no state of the entry was recorded after this sequence number of this projection); `same` (this
-- state is already recorded); `always`.
-- Returns a list: the newest sequence number (-1 if there is no projection, -2 if it is fed from another server, -3 if
-- it became complete in another Redis process, whose clients may not have noticed that it was replaced), then the ids
-- whose condition did not hold.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { '-1' } end
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return { '-2' } end
local home = redis.call('GET', KEYS[3])
if home and home ~= ARGV[3] then return { '-3' } end
local newest, origin = redis.call('GET', KEYS[4]), redis.call('GET', KEYS[5])
local fault = lost(newest, origin, KEYS[6], KEYS[7])
if fault then return redis.error_reply(fault) end
origin = tonumber(origin)
local refused = {}

local function record(id, tenant, body)
  redis.call('INCR', KEYS[4])
  -- As text: a Lua number loses digits.
  newest = redis.call('GET', KEYS[4])
  redis.call('HSET', KEYS[6], id, newest .. ' ' .. tenant .. ' ' .. body)
  redis.call('ZADD', KEYS[7], newest, id)
end

local function holds(condition, at, is_same)
  if condition == 'always' then return true end
  if condition == 'same' then return is_same end
  local since = tonumber(condition)
  return since >= origin and since >= at
end

for i = 4, #ARGV, 4 do
  local id, condition, tenant, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local old = redis.call('HGET', KEYS[6], id)
  local old_at, old_tenant, old_body = '0', '', ''
  if old then
    old_at, old_tenant, old_body = string.match(old, '^(%d+) (%S*) (.*)$')
    if not old_at then return redis.error_reply('CORRUPT in a record') end
    -- A removed entry stays with its tenant.
    if body == '' then tenant = old_tenant end
  end
  local is_same = old_tenant == tenant and old_body == body
  if not holds(condition, tonumber(old_at), is_same) then
    refused[#refused + 1] = id
  elseif not is_same then
    if old_body ~= '' and old_tenant ~= tenant then record(id .. '@' .. old_tenant, old_tenant, '') end
    record(id, tenant, body)
  end
end
return { newest, unpack(refused) }
