-- Appends entries from outside any stage, each once: what was appended lately is passed over.
-- KEYS: 1 stream  2 set of identities by server time
-- ARGV: 1 window_ms  2 identities kept at most  3 entries the stream may hold
--       then per entry: identity, number of fields and values, these
-- Replies 1 (appended) or 0 (known) per entry, or FULL with nothing written.
local window, kept, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for at, wanted in ipairs({'stream', 'zset'}) do
  local found = redis.call('TYPE', KEYS[at]).ok
  if found ~= wanted and found ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[at] .. ' is a ' .. found)
  end
end
if redis.call('XLEN', KEYS[1]) >= room then return {'FULL'} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
local replies, at = {}, 4
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  if redis.call('ZSCORE', KEYS[2], ARGV[at]) then
    replies[#replies + 1] = 0
  else
    redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 2, at + 1 + count))
    redis.call('ZADD', KEYS[2], now, ARGV[at])
    replies[#replies + 1] = 1
  end
  at = at + 2 + count
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -kept - 1)
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('PEXPIRE', KEYS[2], window) end
return replies
