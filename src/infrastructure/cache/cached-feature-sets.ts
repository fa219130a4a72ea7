import { StoreDataInvalid } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureSet, FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { KeysRead } from "./keys-read.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";
import { ReadAgain } from "./read-again.ts";

type SetKeys = Pick<KeysRead, "prefixes" | "fixed"> & Partial<Pick<KeysRead, "arbitrary">>;

/**
 * Caches the sets of a store. Sets with fixed keys, which every evaluation needs, are read again as soon as they
 * change.
 */
export class CachedFeatureSets implements FeatureSets {
  readonly cache: NearCache<FeatureSet>;
  readonly #sets: FeatureSets;
  readonly #keys: SetKeys;
  readonly #again = new ReadAgain((key) => this.#cached(key));
  /** The largest limit of any read. One read serves all concurrent callers. */
  #limit = 0;

  constructor(
    sets: FeatureSets,
    keys: SetKeys,
    invalidations: InvalidationFeed,
    limits: CacheLimits,
    now: () => Instant,
  ) {
    this.#sets = sets;
    this.#keys = keys;
    this.cache = new NearCache({
      isArbitrary: (set, key) =>
        sizeOf(set) === 0 && (keys.arbitrary?.some((prefix) => key.startsWith(prefix)) ?? false),
      isSame,
      staleIfInvalid: true,
      invalidations,
      limits,
      now,
    });
    invalidations.subscribe((key) => {
      this.cache.invalidate(key);
      this.#again.changed(key);
    });
    invalidations.onUnnamedChange?.(() => this.#again.changed(undefined));
  }

  read(key: string, limit: number): CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>> {
    // The invalidation feed does not cover other keys.
    if (!this.#keys.prefixes.some((prefix) => key.startsWith(prefix))) return this.#sets.read(key, limit);
    this.#limit = Math.max(this.#limit, limit);
    const cached = this.#cached(key);
    return cached instanceof Promise
      ? cached.then((read) => this.#checked(key, read, limit))
      : this.#checked(key, cached, limit);
  }

  #checked(key: string, cached: CachedRead<FeatureSet>, limit: number): CachedRead<FeatureSet> {
    if (sizeOf(cached.value) > limit) throw new StoreDataInvalid(`the set ${key} has more than ${limit} members`);
    if (this.#keys.fixed.has(key)) this.#again.add(key);
    return cached;
  }

  #cached(key: string): CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>> {
    return this.cache.get(key, () => this.#sets.read(key, this.#limit));
  }
}

const sizeOf = ({ features, invalidMembers }: FeatureSet): number => features.length + invalidMembers;

function isSame(a: FeatureSet, b: FeatureSet): boolean {
  if (a.features.length !== b.features.length || a.invalidMembers !== b.invalidMembers) return false;
  const known = new Set(a.features);
  return b.features.every((feature) => known.has(feature));
}
