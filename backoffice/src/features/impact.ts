import { queryOptions, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { everyoneSourceOf, type Source } from "../api/sources.ts";
import { count, counted, joined } from "../ui/numbers.ts";
import type { Feature } from "./feature-list.ts";
import { isOn, shareOf } from "./where.tsx";

/** Who gains or loses a feature, as the API counts it before a change. */
export type Audience = {
  readonly everyone: boolean;
  /** `null` if a store did not answer the count. */
  readonly users: number | null;
  readonly locations: readonly string[];
  readonly shares: readonly { readonly source: string; readonly percentage: number }[];
  /** Other sources that have it by rules. */
  readonly rules: readonly string[];
};

/** A change that is assessed. `source`: the gate that is opened or closed. */
type Change = { readonly change: "kill" | "off" } | { readonly change: "open" | "close"; readonly source: string };

/** Who would gain and lose a feature by a change, computed by the API and not applied. */
export const impactQuery = (key: string, change: Change) =>
  queryOptions({
    queryKey: ["feature", key, "impact", change],
    queryFn: () => bodyOf(v1.features[":feature"].impact.$get({ param: { feature: pathSegment(key) }, query: change })),
    staleTime: 0,
  });

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

/** The largest share of callers; 0 if there is none. */
export const largestShare = ({ shares }: Audience): number =>
  Math.max(0, ...shares.map(({ percentage }) => percentage));

/** Who loses the feature, as the first sentence of a confirmation. */
export const lossText = (audience: Audience): string =>
  effectText(audience, "lose") ?? "Nobody loses it now. It stays off if a source grants it later.";

/** Who gains the feature, as the first sentence of a confirmation. */
export const gainText = (audience: Audience): string => effectText(audience, "gain") ?? "Nobody gains it now.";

/** `undefined` if nobody gains or loses it. */
function effectText(audience: Audience, verb: "gain" | "lose"): string | undefined {
  const { everyone, users, locations, rules } = audience;
  if (everyone) return `Every caller ${verb}s it now.`;
  if (users === null) return "The number of users is not known: the store did not answer the count.";
  const share = largestShare(audience);
  const parts = [
    ...(users > 0 ? [counted(users, "user")] : []),
    ...(locations.length > 0 ? [counted(locations.length, "location")] : []),
    ...(share > 0 ? [`${share}\u00a0% of other callers`] : []),
    ...(rules.length > 0 ? [`those of ${joined(rules)}`] : []),
  ];
  if (parts.length === 0) return undefined;
  const isOne = parts.length === 1 && (users === 1 || (users === 0 && locations.length === 1));
  return `${joined(parts)} ${verb}${isOne ? "s" : ""} it now.`;
}

/** Whom a feature is on for, in a few words. */
export function reachText(audience: Audience): string {
  const { everyone, users, locations, rules } = audience;
  if (everyone) return "everyone";
  const share = largestShare(audience);
  const parts = [
    ...(users === null ? ["users"] : users > 0 ? [counted(users, "user")] : []),
    ...(locations.length > 0 ? [counted(locations.length, "location")] : []),
    ...(share > 0 ? [`${share}\u00a0% of callers`] : []),
    ...rules,
  ];
  return parts.length > 0 ? joined(parts) : "nobody";
}

/** How often a feature was evaluated in the last hour, as a sentence. Empty if it is not counted. */
export function evaluatedText(times: number | null | undefined): string {
  if (times === null || times === undefined) return "";
  if (times === 0) return "Not evaluated in the last hour.";
  return `Evaluated ${times === 1 ? "once" : `${count(times)} times`} in the last hour.`;
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
