-- Puts a document and records it. The stored text begins with the document's revision, which remains when the value is
-- `null`.
--
-- KEYS: the documents of the collection, their outbox, and `once` if the change has an idempotency key.
--
-- ARGV: the name of the document; its value as JSON; the beginning of the record, as JSON; the id of the change, or
-- empty for a dry run; the expected revision, as `epoch:number`, `null` or empty; `1` to begin an epoch, else empty.
--
-- Reply: the previous value and the revision, as JSON; or nothing if the revision differs.
--
-- Atomic because a document without its record would be missing from the event log, and a change between the
-- comparison of the revision and the write would be lost.
--
-- As for sets, the numbers of an epoch are valid for one life of one primary.

local documents, outbox, once = unpack(KEYS)
local name, value, wanted, id, ifRevision, newEpoch = unpack(ARGV)

demand("the server", "TIME")
demand("replication", "INFO", "replication")
demand(documents, "HGET", documents, "")
demand(documents, "HSET", documents, "", "")
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

local kept = typed("HGET", documents, name)
typed("LLEN", outbox)
local epoch, number, at, run, before = id, 0, 0, "", "null"
if kept then
  epoch, number, at, run, before =
    kept:match('^{"epoch":"([^"]*)","number":(%d+),"at":(%d+),"run":"([^"]*)","value":(.*)}$')
  if not epoch then invalid(documents) end
end

if ifRevision ~= "" and ifRevision ~= (before == "null" and "null" or epoch .. ":" .. number) then return false end

local server = replicationId()
if id == "" then return false end
if run ~= server or newEpoch == "1" then epoch, number = id, 0 end
number = number + 1
at = math.max(clockMs(), tonumber(at))

redis.call("HSET", documents, name, '{"epoch":"' .. epoch .. '","number":' .. number .. ',"at":' .. at
  .. ',"run":"' .. server .. '","value":' .. value .. "}")
local revision = '"revision":{"epoch":"' .. epoch .. '","number":' .. number .. "}}"
redis.call("RPUSH", outbox, wanted:sub(1, -2) .. ',"at":' .. at .. "," .. revision)

local answer = "{" .. (before == "null" and "" or '"before":' .. before .. ",") .. revision
if once then redis.call("SET", once, answer, "EX", onceSeconds) end
return answer
