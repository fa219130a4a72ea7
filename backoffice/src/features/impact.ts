import { useQuery } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { everyoneSourceOf, type Source } from "../api/sources.ts";
import { count, counted, joined } from "../ui/numbers.ts";
import type { Feature } from "./feature-list.ts";
import { isOn, shareOf } from "./where.tsx";

/** Whom a feature is on for, before a change takes it away. */
export type Impact = {
  readonly isForEveryone: boolean;
  /** The source that has it on for everyone. */
  readonly everyoneSource: string | undefined;
  /** `null` if a store did not answer the count. */
  readonly users: number | null;
  readonly userSource: string | undefined;
  readonly locations: readonly string[];
  readonly share: number | undefined;
  readonly shareSource: string | undefined;
  /** Other grants that have it, such as schedules and rules. */
  readonly others: readonly string[];
};

/** The reach of a feature, from where each source has it. */
export function impactOf({ on }: Feature, sources: readonly Source[]): Impact {
  const everyone = everyoneSourceOf(sources);
  const isForEveryone = everyone !== undefined && on[everyone.name] === true;
  let impact: Impact = {
    isForEveryone,
    everyoneSource: everyone?.name,
    users: 0,
    userSource: undefined,
    locations: [],
    share: undefined,
    shareSource: undefined,
    others: [],
  };
  for (const { name, role } of sources) {
    const place = on[name];
    if (role !== "grant" || place === undefined || !isOn(place) || name === everyone?.name) continue;
    const share = shareOf(place);
    if (typeof place === "object" && "users" in place) {
      const users = place.users === null || impact.users === null ? null : impact.users + place.users;
      impact = { ...impact, users, userSource: name };
    } else if (typeof place === "object" && "location" in place) {
      impact = { ...impact, locations: [...new Set([...impact.locations, ...place.location])] };
    } else if (share !== undefined)
      impact = { ...impact, share: Math.max(share, impact.share ?? 0), shareSource: name };
    else impact = { ...impact, others: [...impact.others, name] };
  }
  return impact;
}

/** Who loses the feature, as the first sentence of a confirmation. */
export function lossText({ isForEveryone, users, locations, share, others }: Impact): string {
  if (isForEveryone) return "Every caller loses it now.";
  if (users === null) return "The number of users is not known: the store did not answer the count.";
  const parts = [
    ...(users > 0 ? [counted(users, "user")] : []),
    ...(locations.length > 0 ? [counted(locations.length, "location")] : []),
    ...(share ? [`${share} % of other callers`] : []),
    ...(others.length > 0 ? [`those of ${joined(others)}`] : []),
  ];
  if (parts.length === 0) return "Nobody loses it now. It stays off if a source grants it later.";
  const isOne = parts.length === 1 && (users === 1 || (users === 0 && locations.length === 1));
  return `${joined(parts)} ${isOne ? "loses" : "lose"} it now.`;
}

/** Whom a feature is on for, in a few words. */
export function reachText({ isForEveryone, users, locations, share, others }: Impact): string {
  if (isForEveryone) return "everyone";
  const parts = [
    ...(users === null ? ["users"] : users > 0 ? [counted(users, "user")] : []),
    ...(locations.length > 0 ? [counted(locations.length, "location")] : []),
    ...(share ? [`${share} %`] : []),
    ...others,
  ];
  return parts.length > 0 ? joined(parts) : "nobody";
}

/** Evaluations that had the feature on in the last full minute, in words. `undefined` until they are known. */
export function useEvaluatedOn(key: string): string | undefined {
  const { data } = useQuery({
    queryKey: ["feature", key, "usage", "minute"],
    queryFn: () => {
      const from = new Date(Date.now() - 120_000).toISOString();
      const query = { from, step: "minute" as const };
      return bodyOf(v1.features[":feature"].usage.$get({ param: { feature: encodeURIComponent(key) }, query }));
    },
    staleTime: 10_000,
  });
  if (!data) return undefined;
  // The last point is not over yet.
  const last = data.on.at(-2) ?? data.on.at(-1) ?? 0;
  return last === 1 ? "once" : `${count(last)} times`;
}
