-- Takes a dead letter away and, where there are fields, puts them back on a topic: both or none.
-- KEYS: 1 dead letters  2 topic      ARGV: 1 the letter's id  2.. fields
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return '' end
if #ARGV == 1 then return ARGV[1] end
return redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
