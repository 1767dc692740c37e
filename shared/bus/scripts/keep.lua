-- Prolongs what is leased under one name, or gives it back (ttl 0).
-- KEYS: 1 the lease  ARGV: 1 holder  2 ttl_ms
-- Replies 1, or 0 where another holds it or nobody does.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
