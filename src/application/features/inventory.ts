import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import { type FeatureState, featureState } from "../../domain/features/feature-state.ts";
import type { CatalogueEntry } from "../admin/catalogue.ts";
import { placementsOf, type SourceListing } from "./source-listing.ts";

/** All features at one time. */
export type Inventory = {
  readonly listings: readonly SourceListing[];
  readonly entries: ReadonlyMap<FeatureKey, CatalogueEntry>;
};

/** The states of all features, sorted by key, and the instant from which they are outdated. */
export type StateTable = { readonly states: ReadonlyMap<FeatureKey, FeatureState>; readonly validUntil: Instant };

/** The keys of all features that a source lists or that have a description. */
export const keysOf = ({ entries, listings }: Inventory): ReadonlySet<FeatureKey> => {
  const keys = new Set(entries.keys());
  for (const { features } of listings) for (const feature of features) keys.add(feature);
  return keys;
};

export const stateTableOf = (inventory: Inventory): StateTable => ({
  states: new Map(
    inOrder(keysOf(inventory)).map((feature) => [feature, featureState(placementsOf(feature, inventory.listings))]),
  ),
  validUntil: Math.min(...inventory.listings.map(({ validUntil }) => validUntil)),
});

/** Whether a source lists a feature, for everyone or for some. */
export const isListed = ({ reachOf }: SourceListing, feature: FeatureKey): boolean => {
  const reach = reachOf(feature);
  return reach.kind !== "absent" && reach.kind !== "unknown" && !(reach.kind === "some" && reach.users === null);
};
