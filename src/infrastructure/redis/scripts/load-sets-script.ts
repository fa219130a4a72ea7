import { entryBeginning } from "../import/load-entry.ts";
import { ownPrefix } from "../redis-keys.ts";
import { changeSetScript } from "./change-set-script.ts";

/**
 * Adds features to sets and records it, all or nothing. New sets are recorded together in one entry. Other sets are
 * recorded as by a single change.
 *
 * KEYS: the progress of the load, the entry, the new sets, the others.
 *
 * ARGV: the first and last position in the load; the epoch of the new sets; the end of their entry, as JSON; their
 * number; for each its digest, or empty if it has a shadow; for each other set: the number of values that follow, and
 * these values, as the script for one change takes them from the personal flag on.
 *
 * Returns `at`, the progress of the load and the number of records; or, if nothing was done, `met` and which of the new
 * sets are not new; or `limit`, a set that would be too large, and its maximum size.
 */
export const loadSetsScript = `
local function changeSet(KEYS, ARGV)
${changeSetScript}
end

local progress, entryKey = KEYS[1], KEYS[2]
local from, to, epoch, entryEnd, newCount = unpack(ARGV, 1, 5)
newCount = tonumber(newCount)

demand(progress, "GET", progress)
demand(progress, "SET", progress, "")
demand(entryKey, "SET", entryKey, "")
local position = typed("GET", progress) or "0"
if position ~= from then return {"at", position, 0} end

local function own(kind, key)
  return "${ownPrefix}" .. kind .. ":{" .. key .. "}"
end

-- What cannot be changed is met before anything is written.
local function keysOf(set)
  return {set, own("head", set), own("shadow", set), own("outbox", set)}
end
local news = {}
for i = 1, newCount do
  news[i] = KEYS[2 + i]
  news[newCount + i] = own("head", KEYS[2 + i])
  demand(news[i], "SADD", news[i], "")
end
if newCount > 0 then
  local head = news[1 + newCount]
  demand(head, "EXISTS", head)
  demand(head, "MSET", head, "")
  changeSet(keysOf(news[1]), {"probe"})
end
if newCount > 0 and redis.call("EXISTS", unpack(news)) > 0 then
  local met = {"met"}
  for i = 1, newCount do
    if redis.call("EXISTS", news[i], news[newCount + i]) > 0 then met[#met + 1] = i end
  end
  return met
end

local changes, at = {}, 6 + newCount
for i = 3 + newCount, #KEYS do
  local keys = keysOf(KEYS[i])
  changeSet(keys, {"probe"})
  local values, last = {"change"}, 1 + ARGV[at]
  for index = 2, last do values[index] = ARGV[at + index - 1] end
  local limit, missing = tonumber(values[7]), tonumber(values[8])
  for first = 9, last, 1000 do
    for _, is in ipairs(redis.call("SMISMEMBER", KEYS[i], unpack(values, first, math.min(first + 999, last)))) do
      missing = missing - is
    end
  end
  if missing > 0 then
    if redis.call("SCARD", KEYS[i]) + missing > limit then return {"limit", KEYS[i], limit} end
    changes[#changes + 1] = {keys, values}
  end
  at = at + last
end

if newCount > 0 then
  local run = redis.call("INFO", "replication"):match("master_replid:(%x+)") or ""
  local clock = redis.call("TIME")
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local heads, head = {}, epoch .. " 1 " .. now .. " " .. run .. " "
  for i, set in ipairs(cjson.decode("{" .. entryEnd:sub(2)).sets) do
    local digest = ARGV[5 + i]
    redis.call("SADD", news[i], unpack(set[2]))
    if digest == "" then redis.call("SUNIONSTORE", own("shadow", news[i]), news[i]) end
    heads[2 * i - 1], heads[2 * i] = news[newCount + i], head .. digest
  end
  redis.call("MSET", unpack(heads))
  redis.call("SET", entryKey, '${entryBeginning}' .. now .. entryEnd)
end
for _, change in ipairs(changes) do changeSet(unpack(change)) end
redis.call("SET", progress, to)
return {"at", to, newCount + #changes}
`;
