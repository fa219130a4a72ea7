-- Takes or renews a lease.
--
-- KEYS: the lease.
--
-- ARGV: the id of the holder; the lifetime of the lease, in milliseconds.
--
-- Reply: 1, or 0 if there is another holder.
--
-- Atomic because the lease may expire and be taken between the check and the renewal.

local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1
