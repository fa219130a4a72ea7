import type { ChangeFeed } from "../../domain/change-feed.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { FeatureSet, FeatureSets } from "../../domain/feature-sets.ts";
import type { Held } from "../../domain/held.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/** How long changes of a fixed key are gathered before it is read again. */
const gatherMs = 5;

/**
 * Remembers the sets of a store. Those of fixed keys, which every answer needs, are read again as soon as they change, and
 * not when somebody asks next: should the store go away in between, a kill switch must not be forgotten.
 */
export class CachedFeatureSets implements FeatureSets {
  readonly #sets: FeatureSets;
  readonly #cache: NearCache<FeatureSet>;
  readonly #fixedKeys: ReadonlySet<string>;
  /** The fixed keys that have been read, and with which limit. */
  readonly #limits = new Map<string, number>();
  readonly #gathered = new Set<string>();

  constructor(
    sets: FeatureSets,
    fixedKeys: ReadonlySet<string>,
    feed: ChangeFeed,
    limits: CacheLimits,
    now: () => Instant,
  ) {
    this.#sets = sets;
    this.#fixedKeys = fixedKeys;
    this.#cache = new NearCache({ isAbsent: (set) => sizeOf(set) === 0, isSame, feed, limits, now });
    feed.listen((key) => {
      this.#cache.forget(key);
      for (const fixed of this.#limits.keys()) if (key === undefined || key === fixed) this.#readSoon(fixed);
    });
  }

  async read(key: string, limit: number): Promise<Held<FeatureSet>> {
    if (this.#fixedKeys.has(key)) this.#limits.set(key, limit);
    const held = await this.#cache.get(key, () => this.#sets.read(key, limit));
    // It may have been read for another source, which allows more.
    if (sizeOf(held.value) > limit) throw new StoreDataInvalid(`the set ${key} has more than ${limit} members`);
    return held;
  }

  #readSoon(key: string): void {
    if (this.#gathered.has(key)) return;
    this.#gathered.add(key);
    setTimeout(() => {
      this.#gathered.delete(key);
      // Who asks next is told of a failure; here nobody does.
      this.read(key, this.#limits.get(key) ?? 0).catch(() => {});
    }, gatherMs).unref();
  }
}

const sizeOf = ({ features, skipped }: FeatureSet): number => features.length + skipped;

function isSame(a: FeatureSet, b: FeatureSet): boolean {
  if (a.features.length !== b.features.length || a.skipped !== b.skipped) return false;
  const known = new Set(a.features);
  return b.features.every((feature) => known.has(feature));
}
