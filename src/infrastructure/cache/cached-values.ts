import { isDeepStrictEqual } from "node:util";
import type { ChangeFeed } from "../../domain/change-feed.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { Held } from "../../domain/held.ts";
import type { StoredValue, StoredValues } from "../../domain/stored-values.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/** Near cache of strings and sets. All keys that are read must be tracked by the feed. */
export class CachedValues implements StoredValues {
  readonly cache: NearCache<StoredValue | undefined>;
  readonly #values: StoredValues;

  constructor(values: StoredValues, feed: ChangeFeed, limits: CacheLimits, now: () => Instant) {
    this.#values = values;
    this.cache = new NearCache<StoredValue | undefined>({
      isAbsent: (value) => value === undefined,
      isSame: (a, b) => isDeepStrictEqual(a, b),
      outlivesInvalidData: true,
      feed,
      limits,
      now,
    });
    feed.listen((key) => this.cache.forget(key));
  }

  read(key: string): Held<StoredValue | undefined> | Promise<Held<StoredValue | undefined>> {
    return this.cache.get(key, async () => this.#values.read(key));
  }
}
