import type { ChangeFeed } from "../../domain/change-feed.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { FeatureSet, FeatureSets } from "../../domain/feature-sets.ts";
import type { Held } from "../../domain/held.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/** Remembers the sets of a store. */
export class CachedFeatureSets implements FeatureSets {
  readonly #sets: FeatureSets;
  readonly #cache: NearCache<FeatureSet>;

  constructor(sets: FeatureSets, feed: ChangeFeed, limits: CacheLimits, now: () => Instant) {
    this.#sets = sets;
    this.#cache = new NearCache({ isAbsent: (set) => sizeOf(set) === 0, isSame, feed, limits, now });
    feed.listen((key) => this.#cache.forget(key));
  }

  async read(key: string, limit: number): Promise<Held<FeatureSet>> {
    const held = await this.#cache.get(key, () => this.#sets.read(key, limit));
    // It may have been read for another source, which allows more.
    if (sizeOf(held.value) > limit) throw new StoreDataInvalid(`the set ${key} has more than ${limit} members`);
    return held;
  }
}

const sizeOf = ({ features, skipped }: FeatureSet): number => features.length + skipped;

function isSame(a: FeatureSet, b: FeatureSet): boolean {
  if (a.features.length !== b.features.length || a.skipped !== b.skipped) return false;
  const known = new Set(a.features);
  return b.features.every((feature) => known.has(feature));
}
