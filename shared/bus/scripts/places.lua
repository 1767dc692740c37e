-- What scripts that look at places in streams share; it stands before each of them.
local function named(flat)
  local found = {}
  for k = 1, #flat, 2 do found[flat[k]] = flat[k + 1] end
  return found
end
local function before(a, b)
  local a_ms, a_n = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_n = string.match(b, '^(%d+)-(%d+)$')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_n) < tonumber(b_n)
end
