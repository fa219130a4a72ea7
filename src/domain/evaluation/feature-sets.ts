import type { CachedRead } from "./cached-read.ts";
import type { FeatureKey } from "./feature.ts";

/**
 * Feature sets: reads the sets of feature keys in a store.
 *
 * A missing set is empty. Members that are not servable keys ({@link ./feature.ts}) are left out and counted. Reads
 * started in one turn of the event loop share one round trip. Returns synchronously if it can. Rejects with
 * `StoreDataInvalid` if the key holds another type, or a set of more than `limit` members, which is detected without
 * reading it all. Rejects with any other error if the store does not respond.
 */
export interface FeatureSets {
  read(key: string, limit: number): CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>>;
}

export type FeatureSet = {
  /** Each feature once, in no particular order. */
  readonly features: readonly FeatureKey[];
  /** The number of members left out because they are not valid feature keys. */
  readonly invalidMembers: number;
};
