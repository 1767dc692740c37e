-- Shows a stage's progress as a consumer group of its name, for Redis' own tools and KEDA, and
-- writes down what it never will read.
-- KEYS: 1 checkpoint  2 losses  3.. streams      ARGV: 1 group  2.. topics
-- Returns for each topic how many entries more are known to be lost than before.
-- Written only where it has changed, so that a quiet log writes nothing.

local group, found = ARGV[1], {}
for k = 3, #KEYS do
  local topic = ARGV[k - 1]
  local came = redis.call('HMGET', KEYS[1], topic, 'n:' .. topic)
  local id, read = came[1] or '0-0', tonumber(came[2] or '0')
  local known = tonumber(redis.call('HGET', KEYS[2], topic .. '/' .. group) or '0')
  local lost, added, shown = known, read + known, nil
  if redis.call('EXISTS', KEYS[k]) == 1 then
    for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[k])) do
      local one = named(flat)
      if one.name == group then
        shown = one['last-delivered-id'] .. ' ' .. tostring(one['entries-read'])
      end
    end
    -- What is gone was never counted as read. How much that is can be told while all that went is
    -- still ahead, and again at the end.
    local facts = named(redis.call('XINFO', 'STREAM', KEYS[k]))
    added = facts['entries-added']
    local missing = added - read
    if facts['last-generated-id'] == id then
      lost = math.max(known, missing)
    elseif facts.length == 0 or before(id, facts['first-entry'][1]) then
      lost = math.max(known, missing - facts.length)
    end
    if lost > known then redis.call('HSET', KEYS[2], topic .. '/' .. group, lost) end
  end
  found[k - 2] = lost - known
  local progress = tostring(math.min(read + lost, added))
  if not shown then
    redis.call('XGROUP', 'CREATE', KEYS[k], group, id, 'MKSTREAM', 'ENTRIESREAD', progress)
  elseif shown ~= id .. ' ' .. progress then
    redis.call('XGROUP', 'SETID', KEYS[k], group, id, 'ENTRIESREAD', progress)
  end
end
return found
