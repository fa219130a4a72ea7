import { isUtf8 } from "node:buffer";
import type { Redis } from "ioredis";
import type { DataLine, SetLine, TokenLine } from "../../application/data-line.ts";
import type { ExportedPage } from "../../application/export-data.ts";
import type { KeyField } from "../../domain/evaluation-context.ts";
import { isServedKey } from "../../domain/feature.ts";
import { KeyTemplate } from "../../domain/key-template.ts";
import { SetupFailed } from "../setup-failed.ts";
import { RedisClient } from "./redis-client.ts";
import { replyText } from "./redis-fault.ts";
import { scan } from "./scan.ts";

const single = ["global_features", "active_features"];
/** A set for each value of a field, which stands in the keys as it is. */
const families: readonly { readonly prefix: string; readonly field: KeyField }[] = [
  { prefix: "features:user:", field: "userId" },
  { prefix: "location:", field: "location" },
];
const tokenPrefix = "token:";

/**
 * What Redis servers hold under the keys that Tidegate reads by default, also where others filled them: the sets in one server, and the
 * tokens in another or the same. Changes nothing. Rejects with `SetupFailed` where a server cannot be read.
 */
export async function* seedLines(setsUrl: string, tokensUrl: string): AsyncGenerator<ExportedPage> {
  yield { lines: [{ tidegate: 1 }], skipped: 0 };
  yield* from(setsUrl, setPages);
  yield* from(tokensUrl, tokenPages);
}

async function* from(url: string, pages: (redis: Redis) => AsyncIterable<ExportedPage>): AsyncGenerator<ExportedPage> {
  const redis: RedisClient = new RedisClient(url, {
    connectTimeout: 2_000,
    commandTimeout: 30_000,
    maxRetriesPerRequest: 5,
    retryStrategy: (attempt) => (redis.handshakeFault === undefined ? 50 * attempt : null),
    enableAutoPipelining: true,
  });
  redis.on("error", () => {});
  try {
    yield* pages(redis);
  } catch (cause) {
    const reason = cause instanceof Error ? replyText(cause) : String(cause);
    const fault = redis.handshakeFault ?? `${reason}; start it, or mend its URL`;
    throw new SetupFailed(`the Redis to import from cannot be read: ${fault}`);
  } finally {
    redis.disconnect();
  }
}

async function* setPages(redis: Redis): AsyncGenerator<ExportedPage> {
  yield pageOf(await Promise.all(single.map((key) => setIn(redis, key, key))));
  for (const { prefix, field } of families) {
    const template = KeyTemplate.parse(`${prefix}{${field}}`) as KeyTemplate;
    for await (const keys of scan(redis, prefix, "set")) {
      const named = (key: string) => template.keyOf({ [field]: key.slice(prefix.length) }) ?? key;
      yield pageOf(await Promise.all(keys.map((key) => setIn(redis, key, named(key)))));
    }
  }
}

async function setIn(redis: Redis, key: string, set: string) {
  const members = await redis.smembersBuffer(key);
  const features = members.filter(isUtf8).map(String).filter(isServedKey);
  return { line: { set, features } satisfies SetLine, skipped: members.length - features.length };
}

function pageOf(read: readonly { readonly line: SetLine; readonly skipped: number }[]): ExportedPage {
  const lines: readonly DataLine[] = read.flatMap(({ line }) => (line.features.length > 0 ? [line] : []));
  return { lines, skipped: read.reduce((sum, { skipped }) => sum + skipped, 0) };
}

async function* tokenPages(redis: Redis): AsyncGenerator<ExportedPage> {
  for await (const keys of scan(redis, tokenPrefix, "string")) {
    if (keys.length === 0) continue;
    const users = await redis.mget(...keys);
    const lines = keys.flatMap((key, index): readonly TokenLine[] => {
      const user = users[index];
      return typeof user === "string" ? [{ token: key.slice(tokenPrefix.length), user }] : [];
    });
    yield { lines, skipped: 0 };
  }
}
