import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import { authorOfRecord, externalActor } from "../../../domain/admin/change.ts";
import { mostMembersRecorded, type SetChange, type SetLoad } from "../../../domain/admin/feature-store.ts";
import { tooManyMembers } from "../../../domain/errors.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import { redisFault } from "../redis-fault.ts";
import { bookkeeping, loadEntryKey, loadKey } from "../redis-keys.ts";
import { loadSetsScript } from "../scripts/load-sets-script.ts";
import { Script } from "../scripts/script.ts";
import { entryEnd, newEpoch } from "./load-entry.ts";
import { isCrossing, loadOneByOne } from "./load-one-by-one.ts";

const script = new Script(loadSetsScript);

/**
 * Loads sets as {@link ../../../domain/admin/feature-store.ts} defines. In a cluster one at a time, each by `apply`.
 */
export async function loadSets(
  redis: Redis,
  batch: Batch<SetLoad>,
  apply: (change: SetChange) => Promise<unknown>,
): Promise<BatchResult> {
  const sets = batch.items.filter(({ features }) => features.length > 0);
  // Larger sets are recorded in two steps, because one record cannot contain their members.
  let news = sets.filter(({ features }) => features.length <= mostMembersRecorded);
  while (true) {
    const others = [...new Set(sets).difference(new Set(news))];
    const answer = await run(redis, batch, news, others);
    if (answer === "crossing") {
      return loadOneByOne(redis, { ...batch, items: sets }, ({ features: add, ...change }) =>
        apply({ ...change, add, remove: [] }),
      );
    }
    const [what, ...told] = answer;
    switch (what) {
      case "at":
        return { position: Number(told[0]), records: Number(told[1]) };
      case "limit":
        throw tooManyMembers(String(told[0]), Number(told[1]));
      default: {
        const met = new Set(told.map((place) => news[Number(place) - 1]));
        news = news.filter((set) => !met.has(set));
      }
    }
  }
}

async function run(
  redis: Redis,
  batch: Batch<SetLoad>,
  news: readonly SetLoad[],
  others: readonly SetLoad[],
): Promise<readonly (string | number)[] | "crossing"> {
  const { load, from, to } = batch;
  const author = authorOf(batch);
  const epoch = newEpoch();
  const entry = { epoch, ...author, sets: news.map(({ key, features }): [string, string[]] => [key, [...features]]) };
  const keys = [loadKey(load), loadEntryKey(epoch), ...[...news, ...others].map(checkedKey)];
  const values = [from, to, epoch, entryEnd(news.length, entry), news.length];
  for (const { personal, features } of news) values.push(personal ? digestOf(features) : "");
  for (const { key, personal, features, limit } of others) {
    const id = newId();
    const found = JSON.stringify({ of: "set", key, id, by: externalActor });
    const wanted = JSON.stringify({ of: "set", key, ...authorOfRecord({ ...author, id: newId() }) });
    values.push(7 + features.length, personal ? "1" : "", id, found, wanted, "", limit, features.length, ...features);
  }
  try {
    return (await script.run(redis, keys, values)) as (string | number)[];
  } catch (error) {
    if (isCrossing(error)) return "crossing";
    return redisFault(error as Error, "a set that is loaded");
  }
}

/** Throws for a key that cannot be recorded. */
function checkedKey({ key }: SetLoad): string {
  bookkeeping(key);
  return key;
}

const mostRemembered = 10_000;
const parts = new Map<FeatureKey, number>();

/** Digest of a set, equal to that of the change script. */
const digestOf = (features: readonly FeatureKey[]): string =>
  `${features.length}:${features.reduce((sum, feature) => (sum + partOf(feature)) % 2 ** 52, 0)}`;

function partOf(feature: FeatureKey): number {
  const known = parts.get(feature);
  if (known !== undefined) return known;
  if (parts.size === mostRemembered) parts.clear();
  const part = Number.parseInt(hash("sha1", feature).slice(0, 13), 16);
  parts.set(feature, part);
  return part;
}
