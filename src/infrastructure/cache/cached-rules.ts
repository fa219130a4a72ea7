import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { Rules, RulesByFeature } from "../../domain/evaluation/rules.ts";
import { isSameMap } from "../stores/same-map.ts";
import { collectionKey } from "../stores/store-keys.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";
import { ReadAgain } from "./read-again.ts";

/** Caches the rules of a store. Every evaluation needs them, so they are read again as soon as one changes. */
export class CachedRules implements Rules {
  readonly cache: NearCache<RulesByFeature>;
  readonly #rules: Rules;
  readonly #collections: ReadonlyMap<string, string>;
  readonly #again: ReadAgain;

  /** The invalidation feed covers only these collections. Others are not cached. */
  constructor(
    rules: Rules,
    collections: ReadonlySet<string>,
    invalidations: InvalidationFeed,
    limits: CacheLimits,
    now: () => Instant,
  ) {
    this.#rules = rules;
    this.#collections = new Map([...collections].map((name) => [collectionKey(name), name]));
    this.cache = new NearCache({
      isArbitrary: ({ size }) => size === 0,
      isSame: isSameMap,
      staleIfInvalid: true,
      invalidations,
      limits,
      now,
    });
    this.#again = new ReadAgain((key) => this.#cached(key, this.#collections.get(key) ?? ""));
    invalidations.subscribe((key) => {
      this.cache.invalidate(key);
      this.#again.changed(key);
    });
    invalidations.onUnnamedChange?.(() => this.#again.changed(undefined));
  }

  read(collection: string): CachedRead<RulesByFeature> | Promise<CachedRead<RulesByFeature>> {
    const key = collectionKey(collection);
    if (!this.#collections.has(key)) return this.#rules.read(collection);
    this.#again.add(key);
    return this.#cached(key, collection);
  }

  #cached(key: string, collection: string): CachedRead<RulesByFeature> | Promise<CachedRead<RulesByFeature>> {
    return this.cache.get(key, () => this.#rules.read(collection));
  }
}
