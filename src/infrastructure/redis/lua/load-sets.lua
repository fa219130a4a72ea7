-- Creates sets and records them together in one entry, if none of them exists.
--
-- KEYS: the position of the load, the entry, the sets.
--
-- ARGV: the expected position of the load, and the next one; the epoch of the sets; the middle of their entry; the keys
-- and members of the sets, as JSON; for each set its digest, or empty if it has a shadow.
--
-- Reply: `at`, the position of the load and the number of records; or, if nothing was done, `met` and the places of the
-- sets that exist.
--
-- Atomic because a set without its record would be missing from the event log, and a batch without its position would
-- be loaded again.

local position, entryKey = KEYS[1], KEYS[2]
local from, to, epoch, entryMiddle, sets = unpack(ARGV, 1, 5)
local count = #KEYS - 2

-- As in redis-keys.ts.
local function own(kind, key)
  return "tidegate:" .. kind .. ":{" .. key .. "}"
end

demand(position, "GET", position)
demand(position, "SET", position, "")
demand(entryKey, "SET", entryKey, "")
demand("the server", "TIME")
demand("replication", "INFO", "replication")
demand("the sets", "EXISTS", KEYS[3])
-- All heads have one beginning, so the first one represents them. That of the sets differs.
local firstHead = own("head", KEYS[3])
demand("the heads", "EXISTS", firstHead)
demand("the heads", "MSET", firstHead, "")
local keys = {}
for i = 1, count do
  local set = KEYS[2 + i]
  keys[i], keys[count + i] = set, own("head", set)
  demand(set, "SADD", set, "")
  if ARGV[5 + i] == "" then demand("the shadows", "SUNIONSTORE", own("shadow", set), set) end
end

local at = typed("GET", position) or "0"
if at ~= from then return {"at", at, 0} end
if redis.call("EXISTS", unpack(keys)) > 0 then
  local met = {"met"}
  for i = 1, count do
    if redis.call("EXISTS", keys[i], keys[count + i]) > 0 then met[#met + 1] = i end
  end
  return met
end

local now = clockMs()
local heads, head = {}, epoch .. " 1 " .. now .. " " .. replicationId() .. " "
for i, set in ipairs(cjson.decode(sets)) do
  local digest = ARGV[5 + i]
  redis.call("SADD", keys[i], unpack(set[2]))
  if digest == "" then redis.call("SUNIONSTORE", own("shadow", keys[i]), keys[i]) end
  heads[2 * i - 1], heads[2 * i] = keys[count + i], head .. digest
end
redis.call("MSET", unpack(heads))
redis.call("SET", entryKey, '{"at":' .. now .. entryMiddle .. ',"sets":' .. sets .. "}")
redis.call("SET", position, to)
return {"at", to, count}
