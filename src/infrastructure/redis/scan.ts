import type { Redis } from "ioredis";
import { redisFault } from "./redis-fault.ts";

const atOnce = 1_000;

/** Yields the keys with a prefix, of one type or of any, in pages. A key may occur more than once. */
export async function* scan(redis: Redis, prefix: string, type?: "set" | "string"): AsyncGenerator<readonly string[]> {
  for await (const { keys } of scanFrom(redis, "0", prefix, type)) yield keys;
}

/** As `scan`, from a cursor. `next` continues behind the page; it is "0" on the last one. */
export async function* scanFrom(
  redis: Redis,
  start: string,
  prefix: string,
  type?: "set" | "string",
): AsyncGenerator<{ readonly keys: readonly string[]; readonly next: string }> {
  const pattern = `${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`;
  let cursor = start;
  do {
    const page = type
      ? redis.scan(cursor, "MATCH", pattern, "COUNT", atOnce, "TYPE", type)
      : redis.scan(cursor, "MATCH", pattern, "COUNT", atOnce);
    const [next, keys] = await page.catch((error) => redisFault(error, pattern));
    yield { keys, next };
    cursor = next;
  } while (cursor !== "0");
}
