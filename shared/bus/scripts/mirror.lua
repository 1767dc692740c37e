-- Shows a stage's progress as a consumer group of its name, for Redis' own tools and KEDA.
-- KEYS: 1 checkpoint  2.. streams      ARGV: 1 group  2.. topics
-- Written only where it has changed, so that a quiet log writes nothing.
for k = 2, #KEYS do
  local came = redis.call('HMGET', KEYS[1], ARGV[k], 'n:' .. ARGV[k])
  local id, read = came[1] or '0-0', came[2] or '0'
  local shown
  if redis.call('EXISTS', KEYS[k]) == 1 then
    for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[k])) do
      local group = {}
      for f = 1, #flat, 2 do group[flat[f]] = flat[f + 1] end
      if group.name == ARGV[1] then
        shown = group['last-delivered-id'] .. ' ' .. tostring(group['entries-read'])
      end
    end
  end
  if not shown then
    redis.call('XGROUP', 'CREATE', KEYS[k], ARGV[1], id, 'MKSTREAM', 'ENTRIESREAD', read)
  elseif shown ~= id .. ' ' .. read then
    redis.call('XGROUP', 'SETID', KEYS[k], ARGV[1], id, 'ENTRIESREAD', read)
  end
end
return 1
