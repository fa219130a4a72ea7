import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import { redisFault } from "../redis-fault.ts";
import { loadEntryKey, loadKey } from "../redis-keys.ts";
import { loadTokensScript } from "../scripts/load-tokens-script.ts";
import { Script } from "../scripts/script.ts";
import { entryEnd, idOf, newEpoch } from "./load-entry.ts";

const script = new Script(loadTokensScript);

/** Stored form of a key that contains a token, equal to that of the scripts. */
export const digestOf = (key: string): string => hash("sha1", key);

/** A token's key and its user. */
type TokenAtKey = { readonly key: string; readonly userId: UserId };

/**
 * Loads tokens as {@link ../../../domain/admin/token-store.ts} defines. `bookkeeping`: the keys of the change script.
 * `holdsToken`: whether keys contain tokens.
 */
export async function loadTokens(
  redis: Redis,
  bookkeeping: readonly string[],
  batch: Batch<TokenAtKey>,
  holdsToken: boolean,
): Promise<BatchResult> {
  let news = batch.items;
  while (true) {
    const others = [...new Set(batch.items).difference(new Set(news))];
    const epoch = newEpoch();
    const author = authorOf(batch);
    const users = news.map(({ userId }) => userId);
    const tokenKeys = [...news, ...others].map(({ key }) => key);
    const keys = [loadKey(batch.load), loadEntryKey(epoch), ...bookkeeping, ...tokenKeys];
    const values = [
      ...[batch.from, batch.to, entryEnd(news.length, { epoch, ...author, users }), news.length],
      ...users,
      ...news.map((_, index) => idOf(epoch, index)),
      ...news.map(({ key, userId }) =>
        JSON.stringify({ ...(holdsToken ? { digest: digestOf(key) } : { key }), userId, by: author.by }).slice(1),
      ),
    ];
    for (const { userId } of others) values.push(userId, newId(), newId(), JSON.stringify(author));
    values.push(holdsToken ? "1" : "");
    const [what, ...told] = (await script.run(redis, keys, values).catch((error) => redisFault(error))) as string[];
    if (what === "at") return { position: Number(told[0]), records: Number(told[1]) };
    const met = new Set(told.map((place) => news[Number(place) - 1]));
    news = news.filter((token) => !met.has(token));
  }
}
