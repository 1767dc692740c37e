-- Prolongs a lease whose token is still this one, or gives it back (ttl 0).
-- KEYS: 1 lease      ARGV: 1 token  2 ttl_ms
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('HSET', KEYS[1], 'owner', '', 'exp', 0, 'token', '')
else
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'exp', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[2]))
end
return 1
