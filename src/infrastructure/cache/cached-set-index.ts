import type { SetContents, SetIndex } from "../../domain/admin/set-index.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";

/** If more sets changed, all are read again: that takes fewer round trips. */
const maxChanged = 1_000;
/** The largest `maxMembers` of a source. */
const maxMembers = 1_000_000;
/** Repeats of a read that was overtaken by changes. */
const maxReads = 3;

/** The cached contents of the sets of one prefix. */
type CachedContents = {
  contents: SetContents | undefined;
  /** The epoch of the contents, and the keys that changed in it since they were read. */
  epoch: number;
  readonly changed: Set<string>;
  reading: Promise<void> | undefined;
};

/**
 * Caches the contents of sets by prefix, and reads only changed sets again. Returns the last contents, with the fault,
 * while the store is unavailable. The feed must cover the prefixes. Listings and counts are not cached.
 */
export class CachedSetIndex implements SetIndex {
  readonly #index: SetIndex;
  readonly #sets: FeatureSets;
  readonly #invalidations: InvalidationFeed;
  readonly #now: () => Instant;
  readonly #byPrefix = new Map<string, CachedContents>();

  constructor(index: SetIndex, sets: FeatureSets, invalidations: InvalidationFeed, now: () => Instant) {
    this.#index = index;
    this.#sets = sets;
    this.#invalidations = invalidations;
    this.#now = now;
    invalidations.subscribe((key) => {
      for (const [prefix, cached] of this.#byPrefix) {
        if (key === undefined) cached.epoch = Number.NaN;
        else if (key.startsWith(prefix)) cached.changed.add(key);
      }
    });
  }

  keys(prefix: string, max: number): ReturnType<SetIndex["keys"]> {
    return this.#index.keys(prefix, max);
  }

  holders(prefix: string, features: readonly FeatureKey[]): ReturnType<SetIndex["holders"]> {
    return this.#index.holders(prefix, features);
  }

  holding(...args: Parameters<SetIndex["holding"]>): ReturnType<SetIndex["holding"]> {
    return this.#index.holding(...args);
  }

  async contents(prefix: string): Promise<SetContents | undefined> {
    const cached = this.#cachedOf(prefix);
    try {
      // A read that another caller began may lack changes that this caller made.
      for (let reads = 0; reads < maxReads && !this.#isCurrent(cached); reads += 1) {
        cached.reading ??= this.#read(prefix, cached).finally(() => {
          cached.reading = undefined;
        });
        await cached.reading;
        if (!cached.contents) return undefined;
      }
      return cached.contents;
    } catch (fault) {
      if (cached.contents) return { ...cached.contents, fault };
      throw fault;
    }
  }

  #cachedOf(prefix: string): CachedContents {
    const found = this.#byPrefix.get(prefix) ?? {
      contents: undefined,
      epoch: Number.NaN,
      changed: new Set(),
      reading: undefined,
    };
    this.#byPrefix.set(prefix, found);
    return found;
  }

  #isCurrent({ contents, epoch, changed, reading }: CachedContents): boolean {
    const isUnchanged = contents !== undefined && reading === undefined && changed.size === 0;
    return isUnchanged && epoch === this.#invalidations.epoch && this.#invalidations.isLive(this.#now());
  }

  async #read(prefix: string, cached: CachedContents): Promise<void> {
    const { epoch } = this.#invalidations;
    const changed = [...cached.changed];
    cached.changed.clear();
    try {
      const isKnown =
        cached.contents !== undefined && cached.epoch === epoch && this.#invalidations.isLive(this.#now());
      if (isKnown && changed.length <= maxChanged) {
        cached.contents = { sets: await this.#withChanges(cached.contents?.sets ?? new Map(), changed) };
      } else {
        cached.contents = await this.#index.contents(prefix);
        cached.epoch = epoch;
      }
    } catch (fault) {
      for (const key of changed) cached.changed.add(key);
      throw fault;
    }
  }

  async #withChanges(sets: SetContents["sets"], changed: readonly string[]): Promise<SetContents["sets"]> {
    const read = await Promise.all(changed.map(async (key) => [key, await this.#membersOf(key)] as const));
    const after = new Map(sets);
    for (const [key, features] of read) {
      if (features.length > 0) after.set(key, features);
      else after.delete(key);
    }
    return after;
  }

  /** A key that holds no set is left out, as in a listing. */
  async #membersOf(key: string): Promise<readonly FeatureKey[]> {
    try {
      return (await this.#sets.read(key, maxMembers)).value.features;
    } catch (fault) {
      if (fault instanceof StoreDataInvalid) return [];
      throw fault;
    }
  }
}
