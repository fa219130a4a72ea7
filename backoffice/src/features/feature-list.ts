import { queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";

/** The number of features that exist, whatever the filters. */
export const featureCount = queryOptions({
  queryKey: ["feature-count"],
  queryFn: async () => (await bodyOf(v1.features.$get({ query: { limit: "1" } }))).features.length,
});
