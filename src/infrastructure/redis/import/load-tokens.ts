import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import { redisFault } from "../redis-fault.ts";
import { bookkeeping, loadEntryKey, loadKey, tokensKey } from "../redis-keys.ts";
import { Script } from "../script.ts";
import { type LoadReply, loadBatch } from "./load-batch.ts";
import { entryMiddle, idOf, newEpoch } from "./load-entry.ts";

const script = new Script("load-tokens");

const { ids, users } = bookkeeping(tokensKey);

/** Stored form of a key that contains a token, equal to that of the scripts. */
export const digestOf = (key: string): string => hash("sha1", key);

/** A token's key and its user. */
export type TokenAtKey = { readonly key: string; readonly userId: UserId };

/**
 * Loads tokens as {@link ../../../domain/admin/token-store.ts} defines. Changes existing tokens by `assign`.
 * `holdsToken`: whether keys contain tokens.
 */
export async function loadTokens(
  redis: Redis,
  batch: Batch<TokenAtKey>,
  holdsToken: boolean,
  assign: (token: TokenAtKey) => Promise<unknown>,
): Promise<BatchResult> {
  return loadBatch(redis, batch, batch.items, {
    name: "a token's key",
    create: (tokens) => create(redis, { ...batch, items: tokens }, holdsToken),
    change: async (tokens) => {
      const present = await redis.mget(tokens.map(({ key }) => key)).catch((error) => redisFault(error));
      const changed = tokens.filter(({ userId }, index) => present[index] !== userId);
      await Promise.all(changed.map(assign));
      return changed.length;
    },
  });
}

async function create(redis: Redis, batch: Batch<TokenAtKey>, holdsToken: boolean): Promise<LoadReply> {
  const { items } = batch;
  const epoch = newEpoch();
  const author = authorOf(batch);
  const userIds = items.map(({ userId }) => userId);
  const keys = [loadKey(batch.load), loadEntryKey(epoch), tokensKey, ids, users, ...items.map(({ key }) => key)];
  const metadata = items.map(({ key, userId }) =>
    JSON.stringify({ ...(holdsToken ? { digest: digestOf(key) } : { key }), userId, by: author.by }).slice(1),
  );
  const tokenIds = items.map((_, index) => idOf(epoch, index));
  const entry = `${entryMiddle(items.length, { epoch, ...author })},"users":${JSON.stringify(userIds)}}`;
  const values = [batch.from, batch.to, entry, ...userIds, ...tokenIds, ...metadata];
  return (await script.run(redis, keys, values)) as LoadReply;
}
