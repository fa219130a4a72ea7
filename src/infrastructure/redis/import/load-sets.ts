import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import { maxRecordedMembers, type SetChange, type SetLoad } from "../../../domain/admin/feature-store.ts";
import { tooManyMembers } from "../../../domain/errors.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import { redisFault } from "../redis-fault.ts";
import { loadEntryKey, loadKey, recordable } from "../redis-keys.ts";
import { Script } from "../script.ts";
import { type LoadReply, loadBatch } from "./load-batch.ts";
import { entryMiddle, newEpoch } from "./load-entry.ts";

const script = new Script("load-sets");

/** Loads sets as {@link ../../../domain/admin/feature-store.ts} defines. Changes existing sets by `apply`. */
export async function loadSets(
  redis: Redis,
  batch: Batch<SetLoad>,
  apply: (change: SetChange) => Promise<unknown>,
): Promise<BatchResult> {
  const items = batch.items.filter(({ features }) => features.length > 0);
  // Larger sets are recorded in two steps, because one record cannot contain their members.
  const recordable = items.filter(({ features }) => features.length <= maxRecordedMembers);
  return loadBatch(redis, { ...batch, items }, recordable, {
    name: "a set that is loaded",
    create: (sets) => create(redis, batch, sets),
    change: async (sets) => {
      const missing = await missingOf(redis, sets);
      await Promise.all(
        missing.map(({ features: add, ...set }) => apply({ ...authorOf(batch), id: newId(), ...set, add, remove: [] })),
      );
      return missing.length;
    },
  });
}

async function create(redis: Redis, batch: Batch<SetLoad>, sets: readonly SetLoad[]): Promise<LoadReply> {
  const epoch = newEpoch();
  const keys = [loadKey(batch.load), loadEntryKey(epoch), ...sets.map(({ key }) => recordable(key))];
  const middle = entryMiddle(sets.length, { epoch, ...authorOf(batch) });
  const members = JSON.stringify(sets.map(({ key, features }) => [key, features]));
  const digests = sets.map(({ personal, features }) => (personal ? digestOf(features) : ""));
  const reply = script.run(redis, keys, [batch.from, batch.to, epoch, middle, members, ...digests]);
  return (await reply) as LoadReply;
}

/** The sets that lack a feature. Rejects if a set would have too many members. */
async function missingOf(redis: Redis, sets: readonly SetLoad[]): Promise<readonly SetLoad[]> {
  const isMissing = await Promise.all(
    sets.map(async ({ key, features, limit }) => {
      const read = Promise.all([redis.smismember(key, ...features), redis.scard(key)]);
      const [present, size] = await read.catch((error) => redisFault(error, key));
      const missing = present.filter((is) => is === 0).length;
      if (missing > 0 && size + missing > limit) throw tooManyMembers(key, limit);
      return missing > 0;
    }),
  );
  return sets.filter((_, index) => isMissing[index]);
}

const maxCached = 10_000;
const parts = new Map<FeatureKey, number>();

/** Digest of a set, equal to that of the change script. */
const digestOf = (features: readonly FeatureKey[]): string =>
  `${features.length}:${features.reduce((sum, feature) => (sum + partOf(feature)) % 2 ** 52, 0)}`;

function partOf(feature: FeatureKey): number {
  const known = parts.get(feature);
  if (known !== undefined) return known;
  if (parts.size === maxCached) parts.clear();
  const part = Number.parseInt(hash("sha1", feature).slice(0, 13), 16);
  parts.set(feature, part);
  return part;
}
