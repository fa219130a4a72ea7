-- Moves a load to its next position, if it is at the expected one.
--
-- KEYS: the position of the load.
--
-- ARGV: the expected position; the next one, or empty for a dry run.
--
-- Reply: the position of the load.
--
-- Atomic because another process may load the same file.

local position, from, to = KEYS[1], unpack(ARGV)

demand(position, "GET", position)
demand(position, "SET", position, "")
local at = typed("GET", position) or "0"
if at ~= from or to == "" then return at end
redis.call("SET", position, to)
return to
