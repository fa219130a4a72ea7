import { queryOptions, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { everyoneSourceOf, type Source } from "../api/sources.ts";
import type { Audience } from "./audience.ts";
import type { Feature } from "./feature-list.ts";
import { isOn, shareOf } from "./where.tsx";

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

/** Whom a feature is on for, from where each source has it: for many features at once. */
export function audienceOf({ on }: Feature, sources: readonly Source[]): Audience {
  const everyone = everyoneSourceOf(sources)?.name;
  const entries = sources.flatMap(({ name, role }) => {
    const entry = on[name];
    return role === "grant" && name !== everyone && entry !== undefined && isOn(entry) ? [{ name, entry }] : [];
  });
  let users: number | null = 0;
  const [locations, shares, rules] = [new Set<string>(), [] as Audience["shares"][number][], [] as string[]];
  for (const { name, entry } of entries) {
    const percentage = shareOf(entry);
    if (typeof entry === "object" && "users" in entry)
      users = entry.users === null || users === null ? null : users + entry.users;
    else if (typeof entry === "object" && "location" in entry) for (const each of entry.location) locations.add(each);
    else if (percentage !== undefined) shares.push({ source: name, percentage });
    else rules.push(name);
  }
  return { everyone: everyone !== undefined && on[everyone] === true, users, locations: [...locations], shares, rules };
}

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
