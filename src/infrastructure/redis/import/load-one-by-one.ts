import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import type { ChangeMeta } from "../../../domain/admin/change.ts";
import { isRefusal, redisFault } from "../redis-fault.ts";
import { loadKey } from "../redis-keys.ts";

/** Whether a script was rejected because its keys are in several slots of a cluster. */
export const isCrossing = (error: unknown): boolean => error instanceof Error && isRefusal(error, "CROSSSLOT");

/**
 * Loads a batch item by item, for servers where one script cannot contain all keys. An interrupted batch starts over.
 * Items that are done are skipped by their idempotency keys, which are stored for a day.
 */
export async function loadOneByOne<Item>(
  redis: Redis,
  batch: Batch<Item>,
  change: (change: ChangeMeta & Item) => Promise<unknown>,
): Promise<BatchResult> {
  const { load, from, to, items } = batch;
  const key = loadKey(load);
  const failed = (error: Error) => redisFault(error, key);
  const position = Number((await redis.get(key).catch(failed)) ?? 0);
  if (position !== from) return { position, records: 0 };
  for (const item of items)
    await change({ ...authorOf(batch), id: newId(), idempotencyKey: `${load} ${from}`, ...item });
  await redis.set(key, to).catch(failed);
  return { position: to, records: items.length };
}
