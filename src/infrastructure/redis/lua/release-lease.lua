-- Ends a lease.
--
-- KEYS: the lease.
--
-- ARGV: the id of the holder.
--
-- Reply: nothing. The lease of another holder remains.
--
-- Atomic because the lease may expire and be taken between the check and the deletion.

if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
