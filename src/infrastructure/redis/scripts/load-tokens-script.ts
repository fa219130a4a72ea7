import { entryBeginning } from "../import/load-entry.ts";
import { changeTokenScript } from "./change-token-script.ts";

/**
 * Adds tokens and records it, all or nothing. New tokens are recorded together in one entry. Others are recorded as by
 * a single change.
 *
 * KEYS: the progress of the load; the entry; the token metadata, the token ids by the digests of their keys,
 * `user\0id`, the outbox; the keys of the new tokens, and those of the others.
 *
 * ARGV: the first and last position in the load; the end of the entry, as JSON; the number of new tokens; their users;
 * their ids; the ends of their metadata, as JSON; for each of the others its user, the id of the change, the id for the
 * end of the previous token, and the actor as JSON; finally whether keys contain tokens.
 *
 * Returns `at`, the progress of the load and the number of records; or, if nothing was done, `met` and which of the new
 * tokens are not new.
 */
export const loadTokensScript = `
local function changeToken(KEYS, ARGV)
${changeTokenScript}
end

local progress, entryKey, infos, ids, users, outbox = unpack(KEYS, 1, 6)
local from, to, entryEnd, newCount = unpack(ARGV, 1, 4)
newCount = tonumber(newCount)

demand(progress, "GET", progress)
demand(progress, "SET", progress, "")
local position = typed("GET", progress) or "0"
if position ~= from then return {"at", position, 0} end

-- What cannot be changed is met before anything is written. All keys of tokens have one beginning, so that one stands for them.
if KEYS[7] then
  changeToken({infos, ids, users, outbox}, {KEYS[7], "", "", "", "", "", "", ""})
  for _, command in ipairs({"MGET", "EXISTS"}) do demand("a token's key", command, KEYS[7]) end
  demand("a token's key", "MSET", KEYS[7], "")
end
demand(ids, "HMGET", ids, "")
demand(entryKey, "SET", entryKey, "")

if newCount > 0 then
  local met = {"met"}
  local digests = {}
  for i = 1, newCount do digests[i] = redis.sha1hex(KEYS[6 + i]) end
  local present = redis.call("MGET", unpack(KEYS, 7, 6 + newCount))
  local known = redis.call("HMGET", ids, unpack(digests))
  local knownByKey = redis.call("HMGET", ids, unpack(KEYS, 7, 6 + newCount))
  for i = 1, newCount do
    if present[i] or known[i] or knownByKey[i] then met[#met + 1] = i end
  end
  if #met > 1 then return met end
  if redis.call("EXISTS", unpack(KEYS, 7, 6 + newCount)) > 0 then return redis.error_reply("WRONGTYPE it is no token") end
end

local changes = {}
local at = 5 + 3 * newCount
for i = 7 + newCount, #KEYS do
  local userId, id, endId, author = unpack(ARGV, at, at + 3)
  if redis.call("GET", KEYS[i]) ~= userId then changes[#changes + 1] = {KEYS[i], "", "", userId, id, endId, author, "", ARGV[#ARGV]} end
  at = at + 4
end

if newCount > 0 then
  local run = redis.call("INFO", "replication"):match("master_replid:(%x+)") or ""
  local clock = redis.call("TIME")
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local infoBeginning = '{"issuedAt":' .. now .. ',"run":"' .. run .. '",'
  local userOf, idOf, owned, told = {}, {}, {}, {}
  for i = 1, newCount do
    local key, userId, id = KEYS[6 + i], ARGV[4 + i], ARGV[4 + newCount + i]
    local first, second = 2 * i - 1, 2 * i
    userOf[first], userOf[second] = key, userId
    idOf[first], idOf[second] = redis.sha1hex(key), id
    owned[first], owned[second] = "0", userId .. "\\0" .. id
    told[first], told[second] = id, infoBeginning .. ARGV[4 + 2 * newCount + i]
  end
  redis.call("MSET", unpack(userOf))
  redis.call("HSET", ids, unpack(idOf))
  redis.call("ZADD", users, unpack(owned))
  redis.call("HSET", infos, unpack(told))
  redis.call("SET", entryKey, '${entryBeginning}' .. now .. entryEnd)
end
for _, values in ipairs(changes) do changeToken({infos, ids, users, outbox}, values) end
redis.call("SET", progress, to)
return {"at", to, newCount + #changes}
`;
