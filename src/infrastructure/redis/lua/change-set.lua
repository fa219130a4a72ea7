-- Changes a set, or detects changes that others made to it, and records both.
--
-- KEYS: the set, its head, its shadow, its outbox, and `once` if the change has an idempotency key.
--
-- ARGV: the mode (`change`, `reconcile`, `rebase`, or `probe`, a dry run); `1` for a personal set, else empty; an id
-- for detected changes; the beginning of their record, and of that of the change, as JSON; the expected revision, as
-- `epoch:number`, `null` or empty; the maximum size of the set if it grows, or empty; the number of added features;
-- the added features, then the removed ones.
--
-- Reply: the effective change as JSON, nothing if the revision differs, or 0 if the set would be too large; in the
-- other modes, whether anything was recorded.
--
-- Atomic because a change without its record would be missing from the event log, and a change by others between the
-- comparison and the write would be recorded as this one.
--
-- The numbers of an epoch are valid for one life of one primary: its replication id. A restart or a failover may
-- restore an older state, and would then assign a number again. For an unchanged personal set, the next change records
-- a new replication id, because there may be many such sets.

-- As in domain/admin/feature-store.ts.
local maxRecordedMembers = 1000
-- Limit for a comparison of members. Larger sets are compared by size.
local maxCompared = 10000
local fullEvery = 256

local set, head, shadow, outbox, once = unpack(KEYS)
local task, personal, foundId, found, wanted, ifRevision = unpack(ARGV, 1, 6)

demand("the server", "TIME")
demand("replication", "INFO", "replication")
for _, command in ipairs({"SCARD", "SMEMBERS"}) do demand(set, command, set) end
if task == "change" or task == "probe" then
  for _, command in ipairs({"SMISMEMBER", "SADD", "SREM"}) do demand(set, command, set, "") end
end
for _, command in ipairs({"SCARD", "DEL"}) do demand(shadow, command, shadow) end
for _, command in ipairs({"SDIFF", "SUNIONSTORE"}) do demand(shadow, command, shadow, set) end
for _, key in ipairs({head, once}) do
  demand(key, "GET", key)
  demand(key, "SET", key, "")
end
demand(outbox, "LLEN", outbox)
demand(outbox, "RPUSH", outbox, "")
if once then
  local answer = typed("GET", once)
  if answer then return answer end
end

-- A key of another type fails before the first write.
local size = typed("SCARD", set)
local kept, epoch, number, at, run, digest = typed("GET", head)
if kept then
  epoch, number, at, run, digest = kept:match("^(%S+) (%d+) (%d+) (%x*) (%S*)$")
  if not epoch then invalid(head) end
end
typed("SCARD", shadow)
typed("LLEN", outbox)

local wasRecorded = epoch
local server = replicationId()
local now = math.max(clockMs(), tonumber(at or 0))

-- As isServedKey has it: UTF-8 of 1 to 1024 UTF-16 code units, without control characters.
local function isServed(member)
  if member == "" or #member > 4096 or member:find("[%z\1-\31\127]") or member:find("\194[\128-\159]") then return false end
  local units = member
  if member:find("[\128-\255]") then
    units = units:gsub("[\194-\223][\128-\191]", " "):gsub("\224[\160-\191][\128-\191]", " ")
      :gsub("[\225-\236\238\239][\128-\191][\128-\191]", " "):gsub("\237[\128-\159][\128-\191]", " ")
      :gsub("\240[\144-\191][\128-\191][\128-\191]", "  "):gsub("[\241-\243][\128-\191][\128-\191][\128-\191]", "  ")
      :gsub("\244[\128-\143][\128-\191][\128-\191]", "  ")
  end
  return #units <= 1024 and not units:find("[\128-\255]")
end

local function served(members)
  local those = {}
  for _, member in ipairs(members) do
    if isServed(member) then those[#those + 1] = member end
  end
  return those
end

-- An empty table would be encoded as an object.
local function list(members)
  return #members > 0 and cjson.encode(members) or "[]"
end

local function revision()
  return '{"epoch":"' .. epoch .. '","number":' .. number .. "}"
end

local function record(beginning, origin, added, removed)
  number = number + 1
  local members = ""
  -- Without a difference, the record needs the members.
  local isUnexplained = origin ~= "change" and #added + #removed == 0
  if size <= maxRecordedMembers and (isUnexplained or number % fullEvery == 0) then
    members = ',"members":' .. list(served(redis.call("SMEMBERS", set)))
  end
  redis.call("RPUSH", outbox, beginning:sub(1, -2) .. ',"origin":"' .. origin .. '","added":' .. list(added)
    .. ',"removed":' .. list(removed) .. members .. ',"size":' .. size .. ',"at":' .. now
    .. ',"revision":' .. revision() .. "}")
end

-- Does not depend on the order of the members, as that of Lua depends on the server's locale.
local function digestNow()
  if size > maxCompared then return size .. ":" end
  local sum = 0
  for _, member in ipairs(redis.call("SMEMBERS", set)) do
    sum = (sum + tonumber(redis.sha1hex(member):sub(1, 13), 16)) % 2^52
  end
  return string.format("%d:%.0f", size, sum)
end

local function save()
  digest = ""
  if personal == "1" or size > maxCompared then
    digest = digestNow()
    redis.call("DEL", shadow)
  else
    redis.call("SUNIONSTORE", shadow, set)
  end
  redis.call("SET", head, table.concat({epoch, number, now, run, digest}, " "))
end

if task == "probe" then return 0 end

local differs, added, removed = false, {}, {}
if epoch and digest ~= "" then
  differs = digestNow() ~= digest
elseif epoch and size > maxCompared then
  differs = true
elseif epoch then
  added, removed = redis.call("SDIFF", set, shadow), redis.call("SDIFF", shadow, set)
  differs = #added + #removed > 0
end

if not epoch or task == "rebase" or (run ~= server and (differs or task == "change" or personal == "")) then
  epoch, number, run, differs = foundId, 0, server, true
  record(found, "baseline", {}, {})
elseif differs then
  number = tonumber(number)
  record(found, "external", served(added), served(removed))
end
number = tonumber(number)

if task ~= "change" then
  if differs then save() end
  return differs and 1 or 0
end

if ifRevision ~= "" and ifRevision ~= (wasRecorded and epoch .. ":" .. number or "null") then
  if differs then save() end
  return false
end

-- Calls a function with up to 1,000 features at a time, because Lua limits the number of arguments.
local function inParts(from, to, use)
  for first = from, to, 1000 do use({unpack(ARGV, first, math.min(first + 999, to))}) end
end

-- The features whose presence is the one that is given.
local function those(from, to, present)
  local found = {}
  inParts(from, to, function(features)
    for index, is in ipairs(redis.call("SMISMEMBER", set, unpack(features))) do
      if is == present then found[#found + 1] = features[index] end
    end
  end)
  return found
end

local function change(command, from, to)
  inParts(from, to, function(features) redis.call(command, set, unpack(features)) end)
end

local limit, lastAdded = tonumber(ARGV[7]), 8 + tonumber(ARGV[8])
added, removed = those(9, lastAdded, 0), those(lastAdded + 1, #ARGV, 1)
if limit and #added > 0 and size + #added - #removed > limit then
  if differs then save() end
  return 0
end
change("SREM", lastAdded + 1, #ARGV)
change("SADD", 9, lastAdded)
size = redis.call("SCARD", set)
record(wanted, "change", added, removed)
save()

local answer = '{"added":' .. list(added) .. ',"removed":' .. list(removed) .. ',"revision":' .. revision() .. "}"
if once then redis.call("SET", once, answer, "EX", onceSeconds) end
return answer
