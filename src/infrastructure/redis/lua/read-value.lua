-- Reads a string or a set.
--
-- KEYS: the key.
--
-- ARGV: the last byte of a string to read; the maximum number of members of a set to read.
--
-- Reply: the type of the key, its remaining lifetime in milliseconds, and the value if it is a string or a set.
--
-- Atomic because the key may change its type or lifetime between two reads.

demand(KEYS[1], "TYPE", KEYS[1])
demand(KEYS[1], "PTTL", KEYS[1])
demand(KEYS[1], "GETRANGE", KEYS[1], 0, 0)
demand(KEYS[1], "SRANDMEMBER", KEYS[1], 1)

local kind = redis.call("TYPE", KEYS[1]).ok
local ttl = redis.call("PTTL", KEYS[1])
if kind == "string" then return {kind, ttl, redis.call("GETRANGE", KEYS[1], 0, ARGV[1])} end
if kind == "set" then return {kind, ttl, redis.call("SRANDMEMBER", KEYS[1], ARGV[2])} end
return {kind, ttl}
