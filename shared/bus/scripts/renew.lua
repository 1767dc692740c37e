-- Prolongs a lease whose token is still this one, or gives it back (ttl 0).
-- KEYS: 1 lease  2 checkpoint  3 incarnation
-- ARGV: 1 token  2 ttl_ms  3 seq its holder has come to  4 incarnation it knows
-- An idle holder commits nothing, so this is where it hears that its last commits are gone, and
-- gives the partition a new life as commit.lua does.
if tonumber(redis.call('HGET', KEYS[2], 'seq') or '0') < tonumber(ARGV[3]) then
  local lives = redis.call('GET', KEYS[3]) or '0'
  local number, known = string.match(lives, '^%d+') + 0, string.match(ARGV[4], '^%d+') + 0
  if lives == ARGV[4] or number < known then
    redis.call('SET', KEYS[3], known + 1 .. string.match(ARGV[1], ':.*'))
  end
  return 0
end
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('HSET', KEYS[1], 'owner', '', 'exp', 0, 'token', '')
else
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'exp', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[2]))
end
return 1
