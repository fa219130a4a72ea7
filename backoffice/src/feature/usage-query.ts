import { queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";

const readUsage = (feature: string, query: { readonly from?: string }) =>
  bodyOf(v1.features[":feature"].usage.$get({ param: { feature: pathSegment(feature) }, query }));

/** How often a feature was evaluated in each of the last 24 hours. */
export const usageQuery = (feature: string) =>
  queryOptions({
    queryKey: ["feature", feature, "usage"],
    queryFn: () => readUsage(feature, {}),
    refetchInterval: 60_000,
  });

const hourMs = 3_600_000;

/** How often a feature was evaluated in each of the last 60 minutes. */
export const lastHourQuery = (feature: string) =>
  queryOptions({
    queryKey: ["feature", feature, "usage", "hour"],
    queryFn: () => readUsage(feature, { from: new Date(Date.now() - hourMs).toISOString() }),
    refetchInterval: 60_000,
  });
