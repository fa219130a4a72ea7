import type { FeatureKey } from "../evaluation/feature.ts";

/** Set index: lists the sets of a store, and counts the sets that have a feature. Rejects as `FeatureSets` does. */
export interface SetIndex {
  /** The keys of sets with a prefix, at most `max`. `complete`: these are all. */
  keys(prefix: string, max: number): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }>;
  /**
   * For each feature, in order, the number of sets with the prefix that have it; `undefined` if counting would take
   * long.
   */
  holders(prefix: string, features: readonly FeatureKey[]): Promise<readonly (number | undefined)[]>;
  /**
   * The keys of sets with the prefix that have a feature, in pages of about `limit`, in an order of the store. A key
   * may come twice. `next` continues; it is absent on the last page, and a page may be empty.
   */
  holding(prefix: string, feature: FeatureKey, limit: number, after?: string): Promise<HoldingSets>;
  /** All sets with the prefix; `undefined` if reading them would take long. */
  contents(prefix: string): Promise<SetContents | undefined>;
}

export type HoldingSets = { readonly keys: readonly string[]; readonly next?: string };

/** The members of sets, by key, without members that are not served keys. */
export type SetContents = {
  /** Immutable, and the same map as long as no set changes. */
  readonly sets: ReadonlyMap<string, readonly FeatureKey[]>;
  /** The error of the last attempt to read them again, if that failed. */
  readonly fault?: unknown;
};
