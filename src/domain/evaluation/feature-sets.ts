import type { CachedRead } from "./cached-read.ts";
import type { FeatureKey } from "./feature.ts";

/**
 * Port: reads the sets of feature keys that a store keeps by name.
 *
 * A set that is not there is empty. Members that are no servable keys ({@link ./feature.ts}) are
 * left out and counted. Reads started in one turn of the event loop travel to the store together.
 * Answers synchronously when it can.
 * Rejects with `StoreDataInvalid` when the key holds something that is not a set or a set of more
 * than `limit` members, found without reading it all; and with any other error when the store does not answer.
 */
export interface FeatureSets {
  read(key: string, limit: number): CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>>;
}

export type FeatureSet = {
  /** Each once, in no particular order. */
  readonly features: readonly FeatureKey[];
  /** How many members were left out, because they cannot be feature keys. */
  readonly skipped: number;
};
