-- Beginning of every script: the functions that several scripts use.

-- Lifetime of the stored reply of a change with an idempotency key, in seconds.
local onceSeconds = 86400

-- Fails with the name of a key whose content is invalid.
local function invalid(key)
  error({err = "WRONGTYPE key " .. key})
end

-- Reads a key as a type. Fails with its name if it is of another.
local function typed(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if reply.err:find("^WRONGTYPE") then invalid(key) end
  error(reply)
end

-- Fails if the user may not run a command. Redis undoes no write of a script that fails, so a script demands all its
-- commands before its first write.
local function demand(name, command, ...)
  if not redis.acl_check_cmd(command, ...) then
    error({err = "NOPERM the user may not run " .. command .. " on " .. name})
  end
end

-- Identity of one life of one primary.
local function replicationId()
  return redis.call("INFO", "replication"):match("master_replid:(%x+)") or ""
end

-- Time of the server, in milliseconds since 1970.
local function clockMs()
  local clock = redis.call("TIME")
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end

