import type { StoredValue, StoredValues } from "../../domain/admin/stored-values.ts";
import { UnknownKey } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { isStale } from "../evaluation/freshness.ts";
import { callStore } from "./call-store.ts";

/** A key prefix that operators may read, and its store. */
export type ReadableKeys = { readonly prefix: string; readonly connection: string; readonly values: StoredValues };

/** The value of a key, `undefined` if it does not exist, with its freshness. */
export type KeyRead = {
  readonly value: StoredValue | undefined;
  readonly freshness: /** From the cache and current; expires in `ttlMs`, unless it is invalidated. */
    | { readonly state: "hit"; readonly ttlMs: number }
    /** Read from the store, and cached if it is current. */
    | { readonly state: "miss"; readonly isStored: boolean }
    /** The last known value, because the store did not respond or is a replica. */
    | { readonly state: "stale"; readonly ageMs: number };
};

/**
 * Reads keys of the stores for operators, below the prefixes that the configuration lists.
 *
 * Rejects with `UnknownKey` if no prefix matches, and with `SourceUnavailable` if the store does not respond and no
 * value is cached.
 */
export const readKey =
  (readable: readonly ReadableKeys[], now: () => Instant) =>
  async (key: string): Promise<KeyRead> => {
    const found = readable.find(({ prefix }) => key.startsWith(prefix));
    if (!found) throw new UnknownKey();
    const read = found.values.read(key);
    const cached = await callStore(found.connection, async () => read);
    const at = now();
    const { value } = cached;
    const asOf = cached.verifiedAt(at);
    if (cached.isCurrent(at)) {
      return read instanceof Promise
        ? { value, freshness: { state: "miss", isStored: true } }
        : { value, freshness: { state: "hit", ttlMs: cached.validUntil - at } };
    }
    if (isStale([cached], asOf, at)) return { value, freshness: { state: "stale", ageMs: at - asOf } };
    return { value, freshness: { state: "miss", isStored: false } };
  };

export type ReadKey = ReturnType<typeof readKey>;
