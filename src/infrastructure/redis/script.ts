import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, type Redis } from "ioredis";
import { isErrorReply } from "./redis-fault.ts";

const folder = join(import.meta.dirname, "lua");
const luaOf = (name: string): string => readFileSync(join(folder, `${name}.lua`), "utf8");

type Call = (command: string, ...values: (string | number)[]) => Promise<unknown>;

/**
 * A Lua script of the folder `lua`, which Redis runs atomically. Its text is sent only to a server that has not cached
 * it. Needs Redis 7.
 *
 * With `allow-oom` it also runs if the server is full, with `no-writes` on a replica.
 */
export class Script {
  readonly #text: string;
  readonly #digest: string;
  /** Read-only scripts need no right to write to their keys. */
  readonly #isReadOnly: boolean;

  constructor(name: string, flag?: "allow-oom" | "no-writes") {
    this.#text = `#!lua${flag ? ` flags=${flag}` : ""}\n${luaOf("prelude")}${luaOf(name)}`;
    this.#isReadOnly = flag === "no-writes";
    this.#digest = hash("sha1", this.#text);
  }

  run(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    return this.#run((...command) => redis.call(...command), keys, values);
  }

  /** Like `run`, but returns the texts of the reply as bytes. */
  runBuffer(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    // With automatic pipelining, ioredis loses the name of a command in `callBuffer`.
    const call: Call = async (name, ...values) => redis.sendCommand(new Command(name, values, { replyEncoding: null }));
    return this.#run(call, keys, values);
  }

  async #run(call: Call, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    const [known, unknown] = this.#isReadOnly ? (["evalsha_ro", "eval_ro"] as const) : (["evalsha", "eval"] as const);
    try {
      return await call(known, this.#digest, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error && isErrorReply(error, "NOSCRIPT"))) throw error;
      return await call(unknown, this.#text, keys.length, ...keys, ...values);
    }
  }
}
