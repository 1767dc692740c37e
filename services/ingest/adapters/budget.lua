-- A provider's credits, shared by all replicas: one hash of the calls of this minute and day.
-- KEYS[1] hash; ARGV: what, now (us), and
--   reserve: wanted, limit a minute, limit a day (0: none) -> {granted, us to wait for more}
--   settle:  used this minute by the provider's count, left of it
--   block:   until (us)
local MINUTE, DAY = 60000000, 86400000000
local key, what, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local minute, day = math.floor(now / MINUTE), math.floor(now / DAY)
local kept = {}
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do kept[flat[i]] = tonumber(flat[i + 1]) end
local used_minute = kept.minute == minute and kept.used_minute or 0
local used_day = kept.day == day and kept.used_day or 0
local reply = {0, 0}

if what == 'reserve' then
  local wanted, a_minute, a_day = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  if kept.plan and kept.plan < a_minute then a_minute = kept.plan end
  local left = math.max(0, a_minute - used_minute)
  local wait = (minute + 1) * MINUTE - now
  if a_day > 0 and a_day - used_day <= left then
    left = math.max(0, a_day - used_day)
    wait = (day + 1) * DAY - now
  end
  if kept.blocked and kept.blocked > now then left, wait = 0, kept.blocked - now end
  local granted = math.min(wanted, left)
  used_minute, used_day = used_minute + granted, used_day + granted
  if granted == wanted then wait = 0 end
  reply = {granted, wait}
elseif what == 'settle' then
  local used, left = tonumber(ARGV[3]), tonumber(ARGV[4])
  used_minute = math.max(used_minute, used)
  -- A plan of none would never be asked again, and so never be corrected.
  if left >= 0 and used + left > 0 then redis.call('HSET', key, 'plan', used + left) end
elseif what == 'block' then
  redis.call('HSET', key, 'blocked', ARGV[3])
end
redis.call('HSET', key, 'minute', minute, 'used_minute', used_minute, 'day', day, 'used_day', used_day)
redis.call('PEXPIRE', key, 172800000)
return reply
