import { hash } from "node:crypto";
import { Command, type Redis } from "ioredis";
import { isRefusal } from "../redis-fault.ts";

/**
 * Functions for scripts. `invalid` fails with the name of a key whose content is invalid. `typed` reads a key as a
 * type, and fails with its name if it is of another. `demand` fails if the user may not run a command. A script demands
 * all its commands before its first write, because Redis undoes none.
 */
const prelude = `
local function invalid(key)
  error({err = "WRONGTYPE key " .. key})
end

local function typed(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= "table" or not reply.err then return reply end
  if reply.err:find("^WRONGTYPE") then invalid(key) end
  error(reply)
end

local granted = {}
local function demand(name, command, ...)
  local right = command .. " on " .. name
  if granted[right] then return end
  if not redis.acl_check_cmd(command, ...) then error({err = "NOPERM the user may not run " .. right}) end
  granted[right] = true
end
`;

type Call = (command: string, ...values: (string | number)[]) => Promise<unknown>;

/**
 * A Lua script, which Redis runs atomically. Its text is sent only to a server that has not cached it. Needs Redis 7.
 *
 * With `allow-oom` it also runs if the server is full, with `no-writes` on a replica.
 */
export class Script {
  readonly #text: string;
  readonly #digest: string;
  /** Read-only scripts need no right to write to their keys. */
  readonly #isReadOnly: boolean;

  constructor(text: string, flag?: "allow-oom" | "no-writes") {
    this.#text = `#!lua${flag ? ` flags=${flag}` : ""}\n${prelude}${text}`;
    this.#isReadOnly = flag === "no-writes";
    this.#digest = hash("sha1", this.#text);
  }

  run(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    return this.#run((...command) => redis.call(...command), keys, values);
  }

  /** Like `run`, but returns the texts of the reply as bytes. */
  runBuffer(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    // With automatic pipelining, ioredis loses the name of a command in `callBuffer`.
    const call: Call = async (name, ...given) => redis.sendCommand(new Command(name, given, { replyEncoding: null }));
    return this.#run(call, keys, values);
  }

  async #run(call: Call, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    const [known, unknown] = this.#isReadOnly ? (["evalsha_ro", "eval_ro"] as const) : (["evalsha", "eval"] as const);
    try {
      return await call(known, this.#digest, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error && isRefusal(error, "NOSCRIPT"))) throw error;
      return await call(unknown, this.#text, keys.length, ...keys, ...values);
    }
  }
}
