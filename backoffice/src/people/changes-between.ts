import { useQueries, useQuery } from "@tanstack/react-query";
import { bodyOf, events as eventsRoute } from "../api/client.ts";
import { type Event, eventQuery } from "../events/event-queries.ts";
import { dataOf, isChange } from "../events/event-view.ts";
import type { PersonContext } from "./person-context.ts";

/** The most events that are read of each person. */
const limit = 1_000;

/** Oldest first: the changes between the moments of two contexts that affect one of their users. */
export function useChangesBetween(one: PersonContext, other: PersonContext): readonly Event[] {
  const [from, to] = [one.at ?? null, other.at ?? null].toSorted((a, b) => momentOf(a) - momentOf(b));
  return useChanges([one, other], from ?? undefined, to ?? undefined);
}

/**
 * Oldest first: the changes between two times that affect one of the users, the last thousand of each. Without an end,
 * those up to now; without both, none.
 */
export function useChanges(
  contexts: readonly PersonContext[],
  from: string | undefined,
  to?: string | undefined,
): readonly Event[] {
  const users = [...new Set(contexts.map(({ user }) => user))];
  const found = useQueries({
    queries: users.map((user) => ({
      queryKey: ["events", "between", user ?? null, from, to],
      queryFn: () => readBetween(user, from, to),
      enabled: from !== to,
    })),
  });
  const all = found.flatMap(({ data }) => data?.events ?? []).filter(isChange);
  return [...new Map(all.map((event) => [event.position, event])).values()].toSorted(
    (early, late) => early.position - late.position,
  );
}

const momentOf = (at: string | null): number => (at === null ? Number.POSITIVE_INFINITY : Date.parse(at));

async function readBetween(user: string | undefined, from: string | undefined, to: string | undefined) {
  const { events } = await bodyOf(
    eventsRoute.$get({
      query: {
        component: "features",
        limit: String(limit),
        ...(user !== undefined && { affecting: user }),
        ...(from !== undefined && { from_date: from }),
        ...(to !== undefined && { to_date: to }),
      },
    }),
  );
  // The sets of users do not concern a caller without a token.
  return { events: user === undefined ? events.filter((event) => event.user === undefined) : events };
}

/** The deciding change of a difference. It may be older than both moments, where two users are compared. */
export function useEvent(id: string | null, known: readonly Event[]): Event | undefined {
  const found = known.find((event) => event.id === id);
  const { data } = useQuery({ ...eventQuery(id ?? ""), enabled: id !== null && !found });
  return found ?? data;
}

/** The changes of a feature that are still effective: an addition to a set and the removal from it cancel each other. */
export function effectiveChanges(feature: string, changes: readonly Event[]): readonly Event[] {
  const kept: Event[] = [];
  for (const change of changes) {
    if (!change.features?.includes(feature)) continue;
    const last = kept.findLastIndex(({ key }) => key === change.key);
    const before = kept[last];
    if (before && directionOf(feature, before) * directionOf(feature, change) === -1) kept.splice(last, 1);
    else kept.push(change);
  }
  return kept;
}

/** 1 for an addition of a feature to a set, -1 for a removal from it, 0 for every other change. */
function directionOf(feature: string, event: Event): number {
  const { added = [], removed = [] } = dataOf(event);
  return Number(added.includes(feature)) - Number(removed.includes(feature));
}
