import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { bodyOf, events, v1 } from "../api/client.ts";
import { servicePath } from "../routing/location.ts";

export type Event = InferResponseType<typeof events.$get, 200>["events"][number];

/** The filters that are in the URL of the page, under the same names. */
const filterNames = [
  "q",
  "feature",
  "by",
  "type",
  "origin",
  "via",
  "component",
  "key",
  "affecting",
  "days",
  "from",
  "to",
] as const;
export type EventFilters = { readonly [name in (typeof filterNames)[number]]?: string };

const pageSize = "100";
const dayMs = 86_400_000;
/** The period that is shown unless the URL names another. */
export const defaultDays = "7";

/** The filters in a query string. */
export const filtersIn = (query: URLSearchParams): EventFilters =>
  Object.fromEntries(filterNames.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));

const types = ["set", "document", "token", "credential"] as const;
const origins = ["change", "external"] as const;
const tools = ["page", "cli", "api"] as const;
const isOneOf = <Value extends string>(all: readonly Value[], value: string | undefined): value is Value =>
  all.some((each) => each === value);

/** The filters as the API takes them. Days count back from the start of the present minute. */
function parametersOf({ q, by, type, origin, via, days = defaultDays, from, to, ...exact }: EventFilters) {
  const since = Math.floor(Date.now() / 60_000) * 60_000 - Number(days) * dayMs;
  const start = from ?? (days === "all" || to ? undefined : new Date(since).toISOString());
  return {
    ...exact,
    ...(q && { message: q }),
    ...(by && { recorded_by: by }),
    ...(isOneOf(types, type) && { type }),
    ...(isOneOf(origins, origin) && { origin }),
    ...(isOneOf(tools, via) && { via }),
    ...(start && { from_date: start }),
    ...(to && { to_date: to }),
  };
}

/** Pages of matching events, newest first. Live updates read `events` again, and leave `event-list` to its page. */
export const eventPages = (filters: EventFilters, name: "events" | "event-list" = "events") =>
  infiniteQueryOptions({
    queryKey: [name, filters],
    queryFn: ({ pageParam }) =>
      bodyOf(
        events.$get({ query: { ...parametersOf(filters), limit: pageSize, ...(pageParam && { cursor: pageParam }) } }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
  });

/** The link to a file of all matching events. */
export const exportLink = (filters: EventFilters, format: "csv" | "ndjson"): string =>
  `${servicePath}events/export?${new URLSearchParams({ ...parametersOf(filters), format })}`;

/** One event by its id or position, with both sides of a rule or description. */
export const eventQuery = (id: string) =>
  queryOptions({ queryKey: ["event", id], queryFn: () => bodyOf(events[":id"].$get({ param: { id } })) });

const revertRoute = v1.events[":id"].revert;

/** What the revert of an event would change. Fails with `changed-since` if a later change conflicts. */
export const revertPreview = (id: string) =>
  queryOptions({
    queryKey: ["events", "revert", id],
    queryFn: () => bodyOf(revertRoute.$post({ param: { id }, query: { dryRun: "true" } })),
    retry: false,
  });

export type RevertPreview = Awaited<ReturnType<NonNullable<ReturnType<typeof revertPreview>["queryFn"]>>>;

/** Whether a revert changes something: nothing if the event was reverted before. */
export const hasEffect = ({ added, removed, before, after }: RevertPreview): boolean =>
  added.length + removed.length > 0 || JSON.stringify(before) !== JSON.stringify(after);

/** Reverts an event. The result has the id of the new one if the log has it already. */
export const revert = (id: string, note: string) =>
  bodyOf(revertRoute.$post({ param: { id }, query: note ? { note } : {} }));

/** Verifies a part of the log: the first one, or the one behind an earlier verification. */
export const verifyPart = (verified?: { readonly to: number; readonly head: string }) =>
  bodyOf(events.verify.$get({ query: verified ? { after: String(verified.to), hash: verified.head } : {} }));
