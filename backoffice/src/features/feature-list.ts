import { queryOptions } from "@tanstack/react-query";
import { request } from "../api/request.ts";

/** The number of features that exist, whatever the filters. */
export const featureCount = queryOptions({
  queryKey: ["feature-count"],
  queryFn: async () => (await request<{ readonly total?: number }>("admin/v1/features", { query: { limit: 1 } })).total,
});
