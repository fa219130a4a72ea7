import { infiniteQueryOptions } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { bodyOf, events } from "../api/client.ts";
import { servicePath } from "../routing/location.ts";

export type Event = InferResponseType<typeof events.$get, 200>["events"][number];

/** The filters that are in the URL of the page, under the same names. */
export const filterNames = ["q", "feature", "by", "component", "key", "days", "from", "to"] as const;
export type EventFilters = { readonly [name in (typeof filterNames)[number]]?: string };

const pageSize = "100";
const dayMs = 86_400_000;
/** The period that is shown unless the URL names another. */
export const defaultDays = "7";

/** The filters in a query string. */
export const filtersIn = (query: URLSearchParams): EventFilters =>
  Object.fromEntries(filterNames.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));

/** The filters as the API takes them. Days count back from the start of the present minute. */
function parametersOf({ q, by, days = defaultDays, from, to, ...exact }: EventFilters) {
  const since = Math.floor(Date.now() / 60_000) * 60_000 - Number(days) * dayMs;
  const start = from ?? (days === "all" || to ? undefined : new Date(since).toISOString());
  return {
    ...exact,
    ...(q && { message: q }),
    ...(by && { recorded_by: by }),
    ...(start && { from_date: start }),
    ...(to && { to_date: to }),
  };
}

/** Pages of matching events, newest first. */
export const eventPages = (filters: EventFilters) =>
  infiniteQueryOptions({
    queryKey: ["events", filters],
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
