import { isDeepStrictEqual } from "node:util";
import type { StoredValue, StoredValues } from "../../domain/admin/stored-values.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/** Near cache of strings and sets. The invalidation feed must cover all keys that are read. */
export class CachedValues implements StoredValues {
  readonly cache: NearCache<StoredValue | undefined>;
  readonly #values: StoredValues;

  constructor(values: StoredValues, invalidations: InvalidationFeed, limits: CacheLimits, now: () => Instant) {
    this.#values = values;
    this.cache = new NearCache<StoredValue | undefined>({
      isArbitrary: (value) => value === undefined,
      isSame: (a, b) => isDeepStrictEqual(a, b),
      staleIfInvalid: true,
      invalidations,
      limits,
      now,
    });
    invalidations.subscribe((key) => this.cache.invalidate(key));
  }

  read(key: string): CachedRead<StoredValue | undefined> | Promise<CachedRead<StoredValue | undefined>> {
    return this.cache.get(key, () => this.#values.read(key));
  }
}
