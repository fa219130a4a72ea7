import { isUtf8 } from "node:buffer";
import type { Redis } from "ioredis";
import type { DataLine, SetLine, TokenLine } from "../../application/transfer/data-line.ts";
import { isServedKey } from "../../domain/evaluation/feature.ts";
import { type KeyField, KeyTemplate } from "../../domain/evaluation/key-template.ts";
import { isToken } from "../../domain/evaluation/token.ts";
import { OperationFailed } from "../operation-failed.ts";
import { RedisClient } from "./redis-client.ts";
import { replyText } from "./redis-fault.ts";
import { scan } from "./scan.ts";

const single = ["global_features", "active_features"];
/** Templates: one set per value of a field, which the keys contain unchanged. */
const templates: readonly { readonly prefix: string; readonly field: KeyField }[] = [
  { prefix: "features:user:", field: "userId" },
  { prefix: "location:", field: "location" },
];
const tokenPrefix = "token:";

/** Some lines, and the number of set members and tokens that were skipped as invalid. */
export type LegacyPage = { readonly lines: readonly DataLine[]; readonly members?: number; readonly tokens?: number };

/**
 * Reads the default keys of Tidegate from Redis servers, also if others filled them: the sets from one server, the
 * tokens from another or the same. Changes nothing. Rejects with `OperationFailed` if a server cannot be read.
 */
export async function* legacyRedisLines(setsUrl: string, tokensUrl: string): AsyncGenerator<LegacyPage> {
  yield { lines: [{ tidegate: 1 }] };
  yield* from(setsUrl, setPages);
  yield* from(tokensUrl, tokenPages);
}

async function* from(url: string, pages: (redis: Redis) => AsyncIterable<LegacyPage>): AsyncGenerator<LegacyPage> {
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
    const fault = redis.handshakeFault ?? `${reason}; start it, or fix its URL`;
    throw new OperationFailed(`the Redis to import from cannot be read: ${fault}`);
  } finally {
    redis.disconnect();
  }
}

async function* setPages(redis: Redis): AsyncGenerator<LegacyPage> {
  yield pageOf(await Promise.all(single.map((key) => setIn(redis, key, key))));
  for (const { prefix, field } of templates) {
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

function pageOf(read: readonly { readonly line: SetLine; readonly skipped: number }[]): LegacyPage {
  const lines: readonly DataLine[] = read.flatMap(({ line }) => (line.features.length > 0 ? [line] : []));
  return { lines, members: read.reduce((sum, { skipped }) => sum + skipped, 0) };
}

async function* tokenPages(redis: Redis): AsyncGenerator<LegacyPage> {
  for await (const keys of scan(redis, tokenPrefix, "string")) {
    const tokens = keys.map((key) => key.slice(tokenPrefix.length));
    const usable = tokens.filter(isToken);
    const users = usable.length > 0 ? await redis.mget(usable.map((token) => tokenPrefix + token)) : [];
    const lines = usable.flatMap((token, index): readonly TokenLine[] => {
      const user = users[index];
      return typeof user === "string" ? [{ token, user }] : [];
    });
    yield { lines, tokens: tokens.length - usable.length };
  }
}
