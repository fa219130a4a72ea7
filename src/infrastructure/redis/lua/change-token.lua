-- Adds or revokes a token, and records it.
--
-- KEYS: the token metadata, the token ids by the digests of their keys (by the keys themselves, before 0.2),
-- `user\0id`, the outbox, and `once` if the change has an idempotency key.
--
-- ARGV: the key of the token; or its id and the user it must belong to, and its key if only the digest is stored and
-- leads to one; the new user, or empty to revoke; the id of the change; another, for the record of the token that the
-- change ends (without either, a dry run); the actor as JSON; the expected revision, as `epoch:number`, `null` or
-- empty; whether keys contain tokens, so that only their digests are stored.
--
-- Reply: the id of the change and the previous user, as JSON; or nothing if the revision differs.
--
-- Atomic because a token without its record would be missing from the event log, and one without its metadata could
-- not be listed or revoked by its id.
--
-- A token's epoch is its id. If the server is not the one that issued the token, its end may have been recorded
-- before, and is an epoch of its own.

local infos, ids, users, outbox, once = unpack(KEYS)
local key, id, ofUser, userId, changeId, endId, author, ifRevision, holdsToken = unpack(ARGV)

-- The description of a token's key must not contain it.
demand("the server", "TIME")
demand("replication", "INFO", "replication")
for _, hash in ipairs({infos, ids}) do
  demand(hash, "HLEN", hash)
  demand(hash, "HGET", hash, "")
  demand(hash, "HSET", hash, "", "")
  demand(hash, "HDEL", hash, "")
end
demand(users, "ZCARD", users)
demand(users, "ZADD", users, 0, "")
demand(users, "ZREM", users, "")
demand(outbox, "LLEN", outbox)
demand(outbox, "RPUSH", outbox, "")
if once then
  demand(once, "GET", once)
  demand(once, "SET", once, "")
end
if once then
  local answer = typed("GET", once)
  if answer then return answer end
end

typed("HLEN", infos)
typed("HLEN", ids)
typed("ZCARD", users)
typed("LLEN", outbox)
local isById = id ~= ""
if not isById then id = redis.call("HGET", ids, redis.sha1hex(key)) or redis.call("HGET", ids, key) end
local info = id and redis.call("HGET", infos, id)
info = info and cjson.decode(info)
if isById and not (info and info.digest and redis.sha1hex(key) == info.digest) then key = info and info.key or "" end
if key ~= "" then
  for _, command in ipairs({"GET", "DEL"}) do demand("a token's key", command, key) end
  demand("a token's key", "SET", key, "")
end
if changeId == "" and endId == "" then return false end
local before = key ~= "" and redis.call("GET", key)

if ifRevision ~= "" and ifRevision ~= (before and info and id .. ":1" or "null") then return false end

if ofUser ~= "" and before and before ~= ofUser then before, info = false, nil end

local server = replicationId()
local now = math.max(clockMs(), info and info.issuedAt or 0)

local function record(recordId, tokenId, user, origin, epoch, number)
  redis.call("RPUSH", outbox, '{"of":"token","id":"' .. recordId .. '",' .. author:sub(2, -2) .. ',"tokenId":"' .. tokenId
    .. '","userId":' .. cjson.encode(user) .. ',"origin":"' .. origin .. '","at":' .. now
    .. ',"revision":{"epoch":"' .. epoch .. '","number":' .. number .. "}}")
end

if info then
  redis.call("HDEL", infos, id)
  redis.call("HDEL", ids, info.digest or redis.sha1hex(key), key)
  redis.call("ZREM", users, info.userId .. "\0" .. id)
end
if before then
  redis.call("DEL", key)
  if info and info.run == server then
    record(endId, id, before, "revoked", id, 2)
  else
    record(endId, info and id or endId, before, "revoked", endId, 1)
  end
end
if userId ~= "" then
  redis.call("SET", key, userId)
  local digest = redis.sha1hex(key)
  local metadata = {userId = userId, issuedAt = now, by = cjson.decode(author).by, run = server}
  if holdsToken == "1" then metadata.digest = digest else metadata.key = key end
  redis.call("HSET", infos, changeId, cjson.encode(metadata))
  redis.call("HSET", ids, digest, changeId)
  redis.call("ZADD", users, 0, userId .. "\0" .. changeId)
  record(changeId, changeId, userId, "issued", changeId, 1)
end

local answer = '{"tokenId":"' .. changeId .. '"' .. (before and ',"before":' .. cjson.encode(before) or "") .. "}"
if once then redis.call("SET", once, answer, "EX", onceSeconds) end
return answer
