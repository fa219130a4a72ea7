import { compareKeys, type FeatureKey } from "../../domain/evaluation/feature.ts";

export const featureSorts = ["key", "-key", "changed", "-changed", "evaluated", "-evaluated"] as const;
/**
 * The order of features: by key; or by the time of the last change, or by the evaluations of the last 24 hours that had
 * the feature on, then by key. `-`: descending.
 */
export type FeatureSort = (typeof featureSorts)[number];

/** The sort value of a feature, before its key: greater is later. */
export type Ranks = ReadonlyMap<FeatureKey, number>;

/** The last feature of a page, and its rank. */
export type PageEnd = { readonly feature: FeatureKey; readonly rank: number };

/** Sorts features that are sorted by key. */
export function sortedBy(sort: FeatureSort, sorted: FeatureKey[], ranks: Ranks): FeatureKey[] {
  const rank = (feature: FeatureKey) => ranks.get(feature) ?? 0;
  switch (sort) {
    case "key":
      return sorted;
    case "-key":
      return sorted.reverse();
    case "changed":
    case "evaluated":
      return sorted.sort((a, b) => rank(a) - rank(b));
    case "-changed":
    case "-evaluated":
      return sorted.sort((a, b) => rank(b) - rank(a));
  }
}

/** The index of the first feature after the end of a page, even if that feature is no longer listed. */
export function startAfter(end: PageEnd, sort: FeatureSort, sorted: readonly FeatureKey[], ranks: Ranks): number {
  const byKey = (feature: FeatureKey) => compareKeys(feature, end.feature);
  const byRank = (feature: FeatureKey) => (ranks.get(feature) ?? 0) - end.rank;
  const isBehind = (feature: FeatureKey) => {
    if (sort === "key") return byKey(feature) > 0;
    if (sort === "-key") return byKey(feature) < 0;
    const order = sort.startsWith("-") ? -byRank(feature) : byRank(feature);
    return order > 0 || (order === 0 && byKey(feature) > 0);
  };
  const start = sorted.findIndex(isBehind);
  return start === -1 ? sorted.length : start;
}
