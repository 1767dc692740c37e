-- One decision of one stage and partition, all or nothing.
-- KEYS: 1 lease  2 checkpoint  3 state  4 view  5 incarnation  6.. streams   (all share one hash tag)
-- ARGV: 1 token  2 expected seq  3 transaction id  4 lease ttl_ms  5 incarnation known
--       then checkpoint, state and view, each as: n, n * (field, value)
--       then fields of state to delete: n, n * field
--       then entries it rests on: n, n * (stream number from 1, id)
--       then shapes of entries: n, n * (stream number, n_head, n_head * (name or value by turns),
--                                       n_names, n_names * name)
--       then runs of outputs: n, n * (shape number from 1, n_entries, n_entries * n_names * value)
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
local n_gone, gone_at = tonumber(ARGV[at] or ''), at + 1
if not (n_checkpoint and n_state and n_view and n_gone) then
  return redis.error_reply('BADARGS a count is missing')
end
at = gone_at + n_gone
local n_rests, rests_at = block()
local n_shapes = tonumber(ARGV[at] or '')
if not (n_rests and n_shapes) then
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
  local key, head = stream_key(tonumber(ARGV[at] or '')), tonumber(ARGV[at + 1] or '')
  if not key then return redis.error_reply('BADARGS unknown stream') end
  local names = head and tonumber(ARGV[at + 2 + head] or '')
  -- Lua's unpack has a limit near 8,000 values; an event has a dozen fields.
  if not names or head < 0 or head % 2 > 0 or names < 1 or head + names > 1000 then
    return redis.error_reply('BADARGS an entry needs 1 to 1000 fields')
  end
  local shape = {'XADD', key, '*'}
  for k = 1, head do shape[3 + k] = ARGV[at + 1 + k] end
  for k = 1, names do shape[2 + head + 2 * k] = ARGV[at + 2 + head + k] end
  shapes[number] = {shape, names, 3 + head}
  at = at + 3 + head + names
end
local n_runs = tonumber(ARGV[at] or '')
if not n_runs then return redis.error_reply('BADARGS a count is missing') end
local runs_at = at + 1
at = runs_at
for _ = 1, n_runs do
  local shape, entries = shapes[tonumber(ARGV[at] or '')], tonumber(ARGV[at + 1] or '')
  if not shape or not entries or entries < 0 then return redis.error_reply('BADARGS unknown shape') end
  at = at + 2 + entries * shape[2]
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
at = runs_at
for _ = 1, n_runs do
  local told = shapes[tonumber(ARGV[at])]
  local shape, names, fixed, entries = told[1], told[2], told[3], tonumber(ARGV[at + 1])
  at = at + 1
  local last = fixed + 2 * names
  for _ = 1, entries do
    for k = 1, names do shape[fixed + 2 * k] = ARGV[at + k] end
    redis.call(unpack(shape, 1, last))
    at = at + names
  end
  at = at + 1
end
-- A command takes up to 500 pairs: unpack has a limit.
local function put(key, n, first)
  local last = first + 2 * n - 1
  for k = first, last, 1000 do
    redis.call('HSET', key, unpack(ARGV, k, math.min(k + 999, last)))
  end
end
put(state, n_state, state_at)
put(view, n_view, view_at)
put(checkpoint, n_checkpoint, checkpoint_at)
for k = gone_at, gone_at + n_gone - 1 do redis.call('HDEL', state, ARGV[k]) end
redis.call('HSET', checkpoint, 'seq', expected + 1, 'txid', ARGV[3])
local t = redis.call('TIME')
redis.call('HSET', lease, 'exp', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[4]))
return {'OK', expected + 1}
