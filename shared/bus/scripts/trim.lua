-- Cuts a topic by size and age, never past a stage, and not past a reader that is near enough.
-- KEYS: 1 stream  2 losses  3.. checkpoints of the stages that read it
-- ARGV: 1 topic  2 entries to keep  3 oldest ms to keep  4 entries that a reader may hold back
--       5.. names of groups that are no readers
-- Returns the entries cut, then name and number for each reader that had not read all of them.
-- A look and a cut in two steps would lose what was written between them and nobody had read.
local stream, losses, topic = KEYS[1], KEYS[2], ARGV[1]
local keep, oldest, hold = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local length = redis.call('XLEN', stream)
if length == 0 then return {0} end
local facts = named(redis.call('XINFO', 'STREAM', stream))
local first, last, added = facts['first-entry'][1], facts['last-generated-id'], facts['entries-added']
if length <= keep and tonumber(string.match(first, '^%d+')) >= oldest then return {0} end

-- What must stay: so many of the newest entries, and all from one id on.
local edge = ARGV[3] .. '-0'
local function stays(count, id)
  keep = math.max(keep, count)
  if before(id, edge) then edge = id end
end
for k = 3, #KEYS do
  local came = redis.call('HMGET', KEYS[k], 'n:' .. topic, topic)
  stays(added - tonumber(came[1] or '0'), came[2] or '0-0')
end

local stages, unread = {}, {}
for k = 5, #ARGV do stages[ARGV[k]] = true end
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = named(flat)
  if not stages[group.name] then
    local reached, count = group['last-delivered-id'], length
    if not before(reached, last) then count = 0
    elseif not before(reached, first) and type(group.lag) == 'number' then count = group.lag end
    if group.pending > 0 then
      local from = redis.call('XPENDING', stream, group.name)[2]
      if before(from, reached) then reached = from end
    end
    count = math.min(length, count + group.pending)
    unread[#unread + 1] = {group.name, count}
    if count <= hold then stays(count, reached) end
  end
end

-- Whole nodes only, for cutting one up is slow. Unless told, a server stops after 10,000 entries,
-- which a busy partition writes faster than it is trimmed.
local most = 100000
local cut = redis.call('XTRIM', stream, 'MAXLEN', '~', keep, 'LIMIT', most)
cut = cut + redis.call('XTRIM', stream, 'MINID', '~', edge, 'LIMIT', most)
local found = {cut}
for _, reader in ipairs(unread) do
  local lost = reader[2] - (length - cut)
  if lost > 0 then
    redis.call('HINCRBY', losses, topic .. '/' .. reader[1], lost)
    found[#found + 1] = reader[1]
    found[#found + 1] = lost
  end
end
return found
