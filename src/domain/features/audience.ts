import { type FeatureState, featureState, grantsIn, type Placement } from "./feature-state.ts";
import type { Reach } from "./reach.ts";

/** Audience: for whom a feature is on, as far as it can be counted. */
export type Audience = {
  readonly everyone: boolean;
  /** The number of users that have it in their own sets; `null` if it is not known. */
  readonly users: number | null;
  readonly locations: readonly string[];
  /** Shares of clients, in percent. */
  readonly shares: readonly { readonly source: string; readonly percentage: number }[];
  /** The sources whose other rules have it on for some clients. */
  readonly rules: readonly string[];
};

/** The effect of a change on a feature. */
export type Impact = {
  readonly stateBefore: FeatureState;
  readonly stateAfter: FeatureState;
  readonly gains: Audience;
  readonly loses: Audience;
  /** Whether the audiences are exact. A user can be counted twice if several sources have users. */
  readonly complete: boolean;
};

/** The contribution of one grant to an audience. */
type Part = { readonly source: string; readonly reach: Reach };

/** The effect of a change that replaces the placements of a feature. */
export function impactOf(before: readonly Placement[], after: readonly Placement[]): Impact {
  const [old, current] = [partsOf(before), partsOf(after)];
  const [gains, loses] = [audienceOf(without(current, old)), audienceOf(without(old, current))];
  return {
    stateBefore: featureState(before),
    stateAfter: featureState(after),
    gains,
    loses,
    complete: [before, after].every(isExact) && [gains, loses].every(isCounted),
  };
}

/** For whom the placements have a feature on. */
export const audience = (placements: readonly Placement[]): Audience => audienceOf(partsOf(placements));

function partsOf(placements: readonly Placement[]): readonly Part[] {
  if (placements.some(({ source, reach }) => source.role === "veto" && reach.kind === "everyone")) return [];
  return grantsIn(placements).flatMap(({ source, reach, result }) => {
    if (result !== "everyone" && result !== "some") return [];
    const isWhole = result === "everyone" || reach.kind === "some";
    return [{ source: source.name, reach: isWhole ? reach : { kind: "some" as const } }];
  });
}

/** Whether no part of the merge depends on contexts that cannot be counted. */
const isExact = (placements: readonly Placement[]): boolean =>
  placements.every(({ source, reach }) => source.role === "grant" || reach.kind !== "some") &&
  placements.every(({ reach }) => reach.kind !== "unknown");

const isCounted = ({ users, rules }: Audience): boolean => users !== null && rules.length === 0;

/** The parts of an audience that are not in another one. */
function without(parts: readonly Part[], others: readonly Part[]): readonly Part[] {
  if (others.some(({ reach }) => reach.kind === "everyone")) return [];
  return parts.flatMap((part) => {
    const other = others.find(({ source }) => source === part.source)?.reach;
    const reach = difference(part.reach, other);
    return reach ? [{ source: part.source, reach }] : [];
  });
}

function difference(reach: Reach, other: Reach | undefined): Reach | undefined {
  if (reach.kind !== "some" || other?.kind !== "some") return reach;
  if (reach.share !== undefined) {
    const share = Math.round((reach.share - (other.share ?? 0)) * 100) / 100;
    return share > 0 ? { kind: "some", share } : undefined;
  }
  if (reach.locations) {
    const locations = reach.locations.filter((location) => !other.locations?.includes(location));
    return locations.length > 0 ? { kind: "some", locations } : undefined;
  }
  if (typeof reach.users === "number" && typeof other.users === "number") {
    return reach.users > other.users ? { kind: "some", users: reach.users - other.users } : undefined;
  }
  // The same rules have it on for the same clients.
  return undefined;
}

function audienceOf(parts: readonly Part[]): Audience {
  const all = parts.flatMap(({ source, reach }) => (reach.kind === "some" ? [{ source, ...reach }] : []));
  const users = all.flatMap(({ users }) => (users === undefined ? [] : [users]));
  return {
    everyone: parts.some(({ reach }) => reach.kind === "everyone"),
    users: users.includes(null) ? null : users.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    locations: [...new Set(all.flatMap(({ locations }) => locations ?? []))],
    shares: all.flatMap(({ source, share }) => (share === undefined ? [] : [{ source, percentage: share }])),
    rules: all.flatMap(({ source, users, locations, share }) =>
      users === undefined && locations === undefined && share === undefined ? [source] : [],
    ),
  };
}
