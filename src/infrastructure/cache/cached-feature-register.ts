import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { FeatureRegister } from "../../domain/features/feature-register.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/** Caches the feature register of a store, under the key that its invalidation feed reports. */
export class CachedFeatureRegister implements FeatureRegister {
  readonly #register: FeatureRegister;
  readonly #key: string;
  readonly #cache: NearCache<ReadonlySet<FeatureKey>>;

  constructor(
    register: FeatureRegister,
    key: string,
    invalidations: InvalidationFeed,
    limits: CacheLimits,
    now: () => Instant,
  ) {
    this.#register = register;
    this.#key = key;
    this.#cache = new NearCache({
      isArbitrary: ({ size }) => size === 0,
      isSame,
      staleIfInvalid: true,
      invalidations,
      limits: { ...limits, capacity: 1 },
      now,
    });
    invalidations.subscribe((changed) => this.#cache.invalidate(changed));
  }

  read(): CachedRead<ReadonlySet<FeatureKey>> | Promise<CachedRead<ReadonlySet<FeatureKey>>> {
    return this.#cache.get(this.#key, () => this.#register.read());
  }

  add(keys: readonly FeatureKey[]): Promise<void> {
    return this.#register.add(keys);
  }
}

const isSame = (a: ReadonlySet<FeatureKey>, b: ReadonlySet<FeatureKey>): boolean =>
  a.size === b.size && a.isSubsetOf(b);
