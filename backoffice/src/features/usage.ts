import { queryOptions, useQueries } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import type { FeaturePage } from "./feature-list.ts";
import type { FeatureUsage } from "./list-actions.ts";

const readUsage = (keys: readonly string[]) => bodyOf(v1.usage.$post({ json: { features: [...keys] } }));
type Usage = Awaited<ReturnType<typeof readUsage>>;

const usageOf = (keys: readonly string[]) =>
  queryOptions({
    queryKey: ["features", "usage", keys],
    queryFn: () => readUsage(keys),
    refetchInterval: 60_000,
  });

/** The usage of all features of some pages of the list. */
export const useUsage = (pages: readonly FeaturePage[]): ReadonlyMap<string, FeatureUsage> =>
  useQueries({
    queries: pages.map(({ features }) => usageOf(features.map(({ feature }) => feature))),
    combine: byFeature,
  });

function byFeature(results: readonly { readonly data: Usage | undefined }[]) {
  const usage = new Map<string, FeatureUsage>();
  for (const { data } of results) {
    // Every response evaluates every feature, so only those that had it on tell features apart.
    for (const { feature, on, lastUsed } of data?.features ?? []) {
      const total = on.reduce((sum, count) => sum + count, 0);
      usage.set(feature, {
        hours: chartHours(on, (count) => count > 0),
        total,
        lastUsed,
        since: data?.countedSince ?? null,
      });
    }
  }
  return usage;
}

/** The hours of a chart: the unfinished last one would look like a drop, so it is left out unless it is the only one. */
export function chartHours<Hour>(hours: readonly Hour[], isUsed: (hour: Hour) => boolean): readonly Hour[] {
  const finished = hours.slice(0, -1);
  return finished.some(isUsed) ? finished : hours;
}
