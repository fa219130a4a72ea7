import { queryOptions, useQueries } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { counted } from "../ui/numbers.ts";
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
    for (const { feature, on, off, lastUsed } of data?.features ?? []) {
      const total = sumOf(on);
      usage.set(feature, {
        hours: chartHours(on, (count) => count > 0),
        total,
        evaluated: total + sumOf(off),
        lastUsed,
        since: data?.countedSince ?? null,
      });
    }
  }
  return usage;
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** How often a feature was evaluated in the last 24 hours, and how often as on, as a sentence. */
export const usageText = (on: number, all: number): string =>
  all === 0
    ? "No evaluation in the last 24 hours."
    : `${counted(all, "evaluation")} in the last 24 hours, ${Math.round((100 * on) / all)} % had it on.`;

/** The hours of a chart: the unfinished last one would look like a drop, so it is left out unless it is the only one. */
export function chartHours<Hour>(hours: readonly Hour[], isUsed: (hour: Hour) => boolean): readonly Hour[] {
  const finished = hours.slice(0, -1);
  return finished.some(isUsed) ? finished : hours;
}
