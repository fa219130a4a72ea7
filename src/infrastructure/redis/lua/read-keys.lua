-- Reads strings and sets, and the marker of the empty-store guard.
--
-- KEYS: the keys, then possibly the marker.
--
-- ARGV: for each key, 0 if it is a string, or the maximum number of members of a set to read.
--
-- Reply: for each key, the value, and its remaining lifetime in milliseconds. The value of a set is one text: the number
-- of members, and the members, each in a line. The lifetime is nil if the script did not read the key: it is of another
-- type, or a set with more than 1,000 members, which would hold up the server in a script. Then 1 if the marker exists.
--
-- Atomic because a flush between a read and the check of the marker would look like an empty store.

local maxInScript = 1000
local reply = {}
for index, argument in ipairs(ARGV) do
  local key, limit = KEYS[index], tonumber(argument)
  local value
  if limit == 0 then
    value = redis.pcall("GET", key)
  else
    value = redis.pcall("SRANDMEMBER", key, math.min(limit, maxInScript + 1))
  end
  local failed = type(value) == "table" and (value.err or #value > maxInScript)
  if type(value) == "table" and not failed then value = #value .. "\n" .. table.concat(value, "\n") end
  reply[2 * index - 1] = not failed and value
  reply[2 * index] = not failed and redis.call("PTTL", key)
end
local marker = KEYS[#ARGV + 1]
reply[#reply + 1] = marker and redis.call("EXISTS", marker)
return reply
