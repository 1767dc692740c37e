-- One decision of one stage and partition, all or nothing.
-- KEYS: 1 lease  2 checkpoint  3 state  4 view  5 incarnation  6.. streams   (all share one hash tag)
-- ARGV: 1 token  2 expected seq  3 transaction id  4 lease ttl_ms  5 incarnation known
--       then checkpoint, state and view, each as: n, n * (field, value)   ('' deletes in state)
--       then entries it rests on: n, n * (stream number from 1, id)
--       then shapes of entries: n, n * (stream number, n_names, n_names * name)
--       then outputs: n, n * (shape number from 1, as many values as it has names)
-- Everything is checked before the first write: a script that fails half way keeps what it wrote.
local lease, checkpoint, state, view, incarnation = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local expected = tonumber(ARGV[2])
local first_stream = 5

-- The sender has seen what is not there any more: the partition was rolled back. It gets a new
-- life, unless it was given one since the sender took its lease. That one may be gone as well.
local lives = redis.call('GET', incarnation) or '0'
local function rolled_back(seq)
  local number, known = string.match(lives, '^%d+') + 0, string.match(ARGV[5], '^%d+') + 0
  if lives == ARGV[5] or number < known then
    redis.call('SET', incarnation, known + 1 .. string.match(ARGV[1], ':.*'))
  end
  return {'CONFLICT', seq}
end

-- 1. History: a former owner's word for a rollback is as good as the owner's.
local last = redis.call('HMGET', checkpoint, 'seq', 'txid')
local seq = tonumber(last[1] or '0')
if seq < expected then return rolled_back(seq) end

-- 2. The fence: whoever took the lease since has another token. No clock is involved.
if redis.call('HGET', lease, 'token') ~= ARGV[1] then return {'FENCED', seq} end

-- 3. Idempotence and order: a repeat of the last commit, or one that missed its turn.
if seq == expected + 1 and last[2] == ARGV[3] then return {'DUP', seq} end
if seq ~= expected or lives ~= ARGV[5] then return {'CONFLICT', seq} end

-- 4. Shape of the arguments and types of the keys.
local at = 6
local function block()
  local n, first = tonumber(ARGV[at]), at + 1
  if not n then return nil, nil end
  at = first + 2 * n
  return n, first
end
local n_checkpoint, checkpoint_at = block()
local n_state, state_at = block()
local n_view, view_at = block()
local n_rests, rests_at = block()
local n_shapes = tonumber(ARGV[at] or '')
if not (n_checkpoint and n_state and n_view and n_rests and n_shapes) then
  return redis.error_reply('BADARGS a count is missing')
end
local function stream_key(number)
  return number and KEYS[first_stream + number]
end
for k = rests_at, rests_at + 2 * n_rests - 2, 2 do
  if not stream_key(tonumber(ARGV[k])) then return redis.error_reply('BADARGS unknown stream') end
end
-- Each shape becomes an XADD whose names stand already and whose values are put in.
local shapes = {}
at = at + 1
for number = 1, n_shapes do
  local key, names = stream_key(tonumber(ARGV[at] or '')), tonumber(ARGV[at + 1] or '')
  if not key then return redis.error_reply('BADARGS unknown stream') end
  -- Lua's unpack has a limit near 8,000 values; an event has a dozen fields.
  if not names or names < 1 or names > 1000 then
    return redis.error_reply('BADARGS an entry needs 1 to 1000 fields')
  end
  local shape = {'XADD', key, '*'}
  for k = 1, names do shape[2 * k + 2] = ARGV[at + 1 + k] end
  shapes[tostring(number)] = {shape, names}
  at = at + 2 + names
end
local n_outputs = tonumber(ARGV[at] or '')
if not n_outputs then return redis.error_reply('BADARGS a count is missing') end
local outputs_at = at + 1
at = outputs_at
for _ = 1, n_outputs do
  local shape = shapes[ARGV[at] or '']
  if not shape then return redis.error_reply('BADARGS unknown shape') end
  at = at + 1 + shape[2]
end
if at ~= #ARGV + 1 then return redis.error_reply('BADARGS ' .. #ARGV .. ' values, not ' .. at - 1) end
for k = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[k]).ok
  local wanted = k < 5 and 'hash' or k == 5 and 'string' or 'stream'
  if kind ~= 'none' and kind ~= wanted then
    return redis.error_reply('BADTYPE ' .. KEYS[k] .. ' is a ' .. kind .. ', not a ' .. wanted)
  end
end

-- 5. What was decided on is there: a rollback may have taken it after it was read.
for k = rests_at, rests_at + 2 * n_rests - 2, 2 do
  local stream, id = KEYS[first_stream + ARGV[k]], ARGV[k + 1]
  if #redis.call('XRANGE', stream, id, id) == 0 then return rolled_back(seq) end
end

-- 6. The writes.
at = outputs_at
for _ = 1, n_outputs do
  local shape, names = shapes[ARGV[at]][1], shapes[ARGV[at]][2]
  for k = 1, names do shape[2 * k + 3] = ARGV[at + k] end
  redis.call(unpack(shape, 1, 2 * names + 3))
  at = at + 1 + names
end
for k = state_at, state_at + 2 * n_state - 2, 2 do
  if ARGV[k + 1] == '' then redis.call('HDEL', state, ARGV[k])
  else redis.call('HSET', state, ARGV[k], ARGV[k + 1]) end
end
for k = view_at, view_at + 2 * n_view - 2, 2 do
  redis.call('HSET', view, ARGV[k], ARGV[k + 1])
end
for k = checkpoint_at, checkpoint_at + 2 * n_checkpoint - 2, 2 do
  redis.call('HSET', checkpoint, ARGV[k], ARGV[k + 1])
end
redis.call('HSET', checkpoint, 'seq', expected + 1, 'txid', ARGV[3])
local t = redis.call('TIME')
redis.call('HSET', lease, 'exp', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[4]))
return {'OK', expected + 1}
