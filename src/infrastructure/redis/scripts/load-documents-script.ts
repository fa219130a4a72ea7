import { putDocumentScript } from "./put-document-script.ts";

/**
 * Puts documents and records them, all or nothing.
 *
 * KEYS: the progress of the load; for each document its collection and the outbox of that.
 *
 * ARGV: the first and last position in the load; for each document the arguments of the script for one.
 *
 * Returns the progress of the load, and the number of records.
 */
export const loadDocumentsScript = `
local function put(KEYS, ARGV)
${putDocumentScript}
end

local progress, from, to = KEYS[1], ARGV[1], ARGV[2]
demand(progress, "GET", progress)
demand(progress, "SET", progress, "")
local position = typed("GET", progress) or "0"
if position ~= from then return {position, 0} end

-- What cannot be changed is met before anything is written.
local changes, probed = {}, {}
for i = 1, (#KEYS - 1) / 2 do
  local keys, values = {unpack(KEYS, 2 * i, 2 * i + 1)}, {unpack(ARGV, 5 * i - 2, 5 * i + 2)}
  if not probed[keys[1]] then put(keys, {"", "", "", "", ""}) end
  probed[keys[1]] = true
  local kept = redis.call("HGET", keys[1], values[1])
  local before = kept and kept:match('"value":(.*)}$')
  if kept and not before then invalid(keys[1]) end
  if before ~= values[2] then changes[#changes + 1] = {keys, values} end
end
for _, change in ipairs(changes) do put(unpack(change)) end
redis.call("SET", progress, to)
return {to, #changes}
`;
