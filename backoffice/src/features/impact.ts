import { queryOptions, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";

/** A change that is assessed. `source`: the gate that is opened or closed. */
type Change = { readonly change: "kill" | "off" } | { readonly change: "open" | "close"; readonly source: string };

/** Who would gain and lose a feature by a change, computed by the API and not applied. */
const impactQuery = (key: string, change: Change) =>
  queryOptions({
    queryKey: ["feature", key, "impact", change],
    queryFn: () => bodyOf(v1.features[":feature"].impact.$get({ param: { feature: pathSegment(key) }, query: change })),
    staleTime: 0,
  });

export type Impact = Awaited<ReturnType<NonNullable<ReturnType<typeof impactQuery>["queryFn"]>>>;

/**
 * The impact of a change while its confirmation is open. It stays as it was once the change is under way, which would
 * otherwise be counted as made.
 */
export function useImpact(key: string, change: Change, isUnderWay: boolean) {
  const { data, error } = useQuery({ ...impactQuery(key, change), enabled: !isUnderWay });
  const shown = useRef({ impact: data, error });
  if (!isUnderWay) shown.current = { impact: data, error };
  return shown.current;
}
