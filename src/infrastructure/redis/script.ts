import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { isRefusal } from "./redis-fault.ts";

/**
 * A Lua script, which Redis runs as one step: all of it happens, or nothing. Where the server is full it is refused, unless it is
 * made `urgent`. It is sent whole only to a server that does not know it yet. Needs Redis 7.
 */
export class Script {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string, urgent = false) {
    this.#text = `#!lua${urgent ? " flags=allow-oom" : ""}\n${text}`;
    this.#digest = hash("sha1", this.#text);
  }

  async run(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#digest, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error && isRefusal(error, "NOSCRIPT"))) throw error;
      return await redis.eval(this.#text, keys.length, ...keys, ...values);
    }
  }
}
