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

/** The sets of one prefix. */
type Family = {
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
  readonly #feed: InvalidationFeed;
  readonly #now: () => Instant;
  readonly #families = new Map<string, Family>();

  constructor(index: SetIndex, sets: FeatureSets, feed: InvalidationFeed, now: () => Instant) {
    this.#index = index;
    this.#sets = sets;
    this.#feed = feed;
    this.#now = now;
    feed.subscribe((key) => {
      for (const [prefix, family] of this.#families) {
        if (key === undefined) family.epoch = Number.NaN;
        else if (key.startsWith(prefix)) family.changed.add(key);
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
    const family = this.#familyOf(prefix);
    try {
      // A read that another caller began may lack changes that this caller made.
      for (let reads = 0; reads < maxReads && !this.#isCurrent(family); reads += 1) {
        family.reading ??= this.#read(prefix, family).finally(() => {
          family.reading = undefined;
        });
        await family.reading;
        if (!family.contents) return undefined;
      }
      return family.contents;
    } catch (fault) {
      if (family.contents) return { ...family.contents, fault };
      throw fault;
    }
  }

  #familyOf(prefix: string): Family {
    const found = this.#families.get(prefix) ?? {
      contents: undefined,
      epoch: Number.NaN,
      changed: new Set(),
      reading: undefined,
    };
    this.#families.set(prefix, found);
    return found;
  }

  #isCurrent({ contents, epoch, changed, reading }: Family): boolean {
    const isUnchanged = contents !== undefined && reading === undefined && changed.size === 0;
    return isUnchanged && epoch === this.#feed.epoch && this.#feed.isLive(this.#now());
  }

  async #read(prefix: string, family: Family): Promise<void> {
    const { epoch } = this.#feed;
    const changed = [...family.changed];
    family.changed.clear();
    try {
      const isKnown = family.contents !== undefined && family.epoch === epoch && this.#feed.isLive(this.#now());
      if (isKnown && changed.length <= maxChanged) {
        family.contents = { sets: await this.#withChanges(family.contents?.sets ?? new Map(), changed) };
      } else {
        family.contents = await this.#index.contents(prefix);
        family.epoch = epoch;
      }
    } catch (fault) {
      for (const key of changed) family.changed.add(key);
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
