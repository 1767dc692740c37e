-- Takes a lease that is free, expired or already this worker's, and loads what stands under it.
-- KEYS: 1 lease  2 checkpoint  3 state  4 incarnation      ARGV: 1 worker  2 nonce  3 ttl_ms
-- The epoch counts lives of the lease; the nonce keeps tokens apart where a failover lost an epoch.
local lease = redis.call('HMGET', KEYS[1], 'owner', 'exp', 'epoch')
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local owner, left = lease[1] or '', tonumber(lease[2] or '0') - now
if owner ~= '' and owner ~= ARGV[1] and left > 0 then return {'HELD', owner, left} end
local epoch = tonumber(lease[3] or '0') + 1
local token = epoch .. ':' .. ARGV[2]
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', epoch, 'token', token,
  'exp', now + tonumber(ARGV[3]))
return {'OK', token, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]),
  redis.call('GET', KEYS[4]) or '0'}
