import type { ChangeFeed } from "../../domain/change-feed.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { FeatureSet, FeatureSets } from "../../domain/feature-sets.ts";
import type { Held } from "../../domain/held.ts";
import type { KeysRead } from "../config/keys-in-use.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/** How long changes of a fixed key are gathered before it is read again. */
const gatherMs = 5;

/**
 * Remembers the sets of a store. Those of fixed keys, which every answer needs, are read again as soon as they change, and
 * not when somebody asks next: should the store go away in between, a kill switch must not be forgotten.
 */
export class CachedFeatureSets implements FeatureSets {
  readonly cache: NearCache<FeatureSet>;
  readonly #sets: FeatureSets;
  readonly #keys: KeysRead;
  /** The fixed keys that have been read. */
  readonly #fixed = new Set<string>();
  /** The largest limit that any set was read with: one read serves all who ask for it. */
  #limit = 0;
  readonly #gathered = new Set<string>();

  constructor(sets: FeatureSets, keys: KeysRead, feed: ChangeFeed, limits: CacheLimits, now: () => Instant) {
    this.#sets = sets;
    this.#keys = keys;
    this.cache = new NearCache({
      isAbsent: (set) => sizeOf(set) === 0,
      isSame,
      outlivesInvalidData: true,
      feed,
      limits,
      now,
    });
    feed.listen((key) => {
      this.cache.forget(key);
      for (const fixed of this.#fixed) if (key === undefined || key === fixed) this.#readSoon(fixed);
    });
  }

  read(key: string, limit: number): Held<FeatureSet> | Promise<Held<FeatureSet>> {
    // Nobody tells of changes of other keys.
    if (!this.#keys.prefixes.some((prefix) => key.startsWith(prefix))) return this.#sets.read(key, limit);
    this.#limit = Math.max(this.#limit, limit);
    const held = this.#remembered(key);
    return held instanceof Promise
      ? held.then((read) => this.#checked(key, read, limit))
      : this.#checked(key, held, limit);
  }

  #checked(key: string, held: Held<FeatureSet>, limit: number): Held<FeatureSet> {
    if (sizeOf(held.value) > limit) throw new StoreDataInvalid(`the set ${key} has more than ${limit} members`);
    if (this.#keys.fixed.has(key)) this.#fixed.add(key);
    return held;
  }

  #remembered(key: string): Held<FeatureSet> | Promise<Held<FeatureSet>> {
    return this.cache.get(key, async () => this.#sets.read(key, this.#limit));
  }

  async #readAgain(key: string): Promise<void> {
    try {
      await this.#remembered(key);
    } catch {
      // Who asks next is told of a failure; here nobody does.
    }
  }

  #readSoon(key: string): void {
    if (this.#gathered.has(key)) return;
    this.#gathered.add(key);
    setTimeout(() => {
      this.#gathered.delete(key);
      void this.#readAgain(key);
    }, gatherMs).unref();
  }
}

const sizeOf = ({ features, skipped }: FeatureSet): number => features.length + skipped;

function isSame(a: FeatureSet, b: FeatureSet): boolean {
  if (a.features.length !== b.features.length || a.skipped !== b.skipped) return false;
  const known = new Set(a.features);
  return b.features.every((feature) => known.has(feature));
}
