import type { FeatureKey } from "./feature.ts";

/** What somebody wants done to one set. A feature stands in `add` or `remove`, not in both. */
export type SetChange = {
  readonly key: string;
  readonly add: readonly FeatureKey[];
  readonly remove: readonly FeatureKey[];
};

/** What a change really did: the members that were not there before, and those that were. */
export type SetChanged = {
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
};

/** Port: changes the sets that `FeatureSets` reads. A change happens whole or not at all. */
export interface FeatureStore {
  apply(change: SetChange): Promise<SetChanged>;
}
