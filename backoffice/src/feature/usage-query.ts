import { queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";

/** How often a feature was evaluated in each of the last 24 hours. */
export const usageQuery = (feature: string) =>
  queryOptions({
    queryKey: ["feature", feature, "usage"],
    queryFn: () => bodyOf(v1.features[":feature"].usage.$get({ param: { feature: pathSegment(feature) }, query: {} })),
    refetchInterval: 60_000,
  });
