import { putDocumentScript } from "./put-document-script.ts";

/**
 * Puts documents and records them: all of it, or nothing.
 *
 * KEYS: how far the load has come; of each document its collection and the outbox of that.
 *
 * ARGV: where in the load it begins and ends; of each document what the script for one takes.
 *
 * Answers how far the load has come, and how many records were made.
 */
export const loadDocumentsScript = `
local function put(KEYS, ARGV)
${putDocumentScript}
end

local progress, from, to = KEYS[1], ARGV[1], ARGV[2]
local position = redis.call("GET", progress) or "0"
if position ~= from then return {position, 0} end

local changes = {}
for i = 1, (#KEYS - 1) / 2 do
  local keys, values = {unpack(KEYS, 2 * i, 2 * i + 1)}, {unpack(ARGV, 5 * i - 2, 5 * i + 2)}
  local kept = redis.call("HGET", keys[1], values[1])
  redis.call("LLEN", keys[2])
  local before = kept and kept:match('"value":(.*)}$')
  if kept and not before then return redis.error_reply("WRONGTYPE it is no document") end
  if before ~= values[2] then changes[#changes + 1] = {keys, values} end
end
for _, change in ipairs(changes) do put(unpack(change)) end
redis.call("SET", progress, to)
return {to, #changes}
`;
