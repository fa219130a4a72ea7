-- Adds tokens and records them together in one entry, if none of them exists.
--
-- KEYS: the position of the load; the entry; the token metadata, the token ids by the digests of their keys, `user\0id`;
-- the keys of the tokens.
--
-- ARGV: the expected position of the load, and the next one; the end of the entry, as JSON; the users of the tokens;
-- their ids; the ends of their metadata, as JSON.
--
-- Reply: `at`, the position of the load and the number of records; or, if nothing was done, `met` and the places of the
-- tokens that exist.
--
-- Atomic because a token without its record would be missing from the event log, and a batch without its position would
-- be loaded again.

local position, entryKey, infos, ids, users = unpack(KEYS, 1, 5)
local from, to, entryEnd = unpack(ARGV, 1, 3)
local count = #KEYS - 5

demand(position, "GET", position)
demand(position, "SET", position, "")
demand(entryKey, "SET", entryKey, "")
demand("the server", "TIME")
demand("replication", "INFO", "replication")
for _, hash in ipairs({infos, ids}) do
  demand(hash, "HLEN", hash)
  demand(hash, "HSET", hash, "", "")
end
demand(ids, "HMGET", ids, "")
demand(users, "ZCARD", users)
demand(users, "ZADD", users, 0, "")
-- All keys of tokens have one beginning, so the first one represents them.
for _, command in ipairs({"MGET", "EXISTS"}) do demand("a token's key", command, KEYS[6]) end
demand("a token's key", "MSET", KEYS[6], "")

local at = typed("GET", position) or "0"
if at ~= from then return {"at", at, 0} end
typed("HLEN", infos)
typed("HLEN", ids)
typed("ZCARD", users)

local met, digests = {"met"}, {}
for i = 1, count do digests[i] = redis.sha1hex(KEYS[5 + i]) end
local isAnyPresent = redis.call("EXISTS", unpack(KEYS, 6)) > 0
local present = isAnyPresent and redis.call("MGET", unpack(KEYS, 6)) or {}
local known = redis.call("HMGET", ids, unpack(digests))
local knownByKey = redis.call("HMGET", ids, unpack(KEYS, 6))
for i = 1, count do
  if present[i] or known[i] or knownByKey[i] then met[#met + 1] = i end
end
if #met > 1 then return met end
if isAnyPresent then return redis.error_reply("WRONGTYPE it is no token") end

local now = clockMs()
local infoBeginning = '{"issuedAt":' .. now .. ',"run":"' .. replicationId() .. '",'
local userOf, idOf, owned, metadata = {}, {}, {}, {}
for i = 1, count do
  local key, userId, id = KEYS[5 + i], ARGV[3 + i], ARGV[3 + count + i]
  local first, second = 2 * i - 1, 2 * i
  userOf[first], userOf[second] = key, userId
  idOf[first], idOf[second] = digests[i], id
  owned[first], owned[second] = "0", userId .. "\0" .. id
  metadata[first], metadata[second] = id, infoBeginning .. ARGV[3 + 2 * count + i]
end
redis.call("MSET", unpack(userOf))
redis.call("HSET", ids, unpack(idOf))
redis.call("ZADD", users, unpack(owned))
redis.call("HSET", infos, unpack(metadata))
redis.call("SET", entryKey, '{"at":' .. now .. entryEnd)
redis.call("SET", position, to)
return {"at", to, count}
