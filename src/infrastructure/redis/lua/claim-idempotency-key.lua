-- Claims an idempotency key for a request.
--
-- KEYS: the idempotency key.
--
-- ARGV: the request; the lifetime of the claim, in seconds.
--
-- Reply: the request that has the key.
--
-- Atomic because only one of two requests with the same key may claim it.

local known = redis.call("GET", KEYS[1])
if known then return known end
redis.call("SET", KEYS[1], ARGV[1], "EX", ARGV[2])
return ARGV[1]
