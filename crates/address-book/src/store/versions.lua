-- The sequence numbers at which entries were last recorded; 0 of those that never were.
-- KEYS: records
-- ARGV: ids
local answer = {}
for i = 1, #ARGV do
  local record = redis.call('HGET', KEYS[1], ARGV[i])
  answer[i] = record and string.match(record, '^(%d+) ') or '0'
  if not answer[i] then return redis.error_reply('GARBAGE in a record') end
end
return answer
