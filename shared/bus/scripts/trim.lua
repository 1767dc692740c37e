-- Cuts a topic to so many entries, or to what its slowest stage still needs where that is more.
-- KEYS: 1 stream  2.. checkpoints of the stages that read it      ARGV: 1 topic  2 entries to keep
-- A look and a cut in two steps would lose what was written between them and nobody had read.
local keep = tonumber(ARGV[2])
if redis.call('XLEN', KEYS[1]) <= keep then return 0 end
local facts, added = redis.call('XINFO', 'STREAM', KEYS[1]), 0
for k = 1, #facts, 2 do
  if facts[k] == 'entries-added' then added = facts[k + 1] end
end
for k = 2, #KEYS do
  local read = redis.call('HGET', KEYS[k], 'n:' .. ARGV[1]) or '0'
  keep = math.max(keep, added - tonumber(read))
end
return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', keep)
