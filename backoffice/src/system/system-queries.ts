import { queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";

/** Polling stops while the page is hidden. */
const pollMs = 5_000;
const historyPollMs = 15_000;

export const systemQuery = queryOptions({
  queryKey: ["system", "state"],
  queryFn: () => bodyOf(v1.system.$get()),
  refetchInterval: pollMs,
  staleTime: 0,
});

/** The traffic of the last hour, in points of 15 s. */
export const historyQuery = queryOptions({
  queryKey: ["system", "history"],
  queryFn: async () => (await bodyOf(v1.system.history.$get())).points,
  refetchInterval: historyPollMs,
  staleTime: 0,
});

/** The state of the instance that answers. */
export type System = Awaited<ReturnType<NonNullable<typeof systemQuery.queryFn>>>;
export type SystemSource = System["sources"][number];
/** The traffic of a span of time. */
export type Traffic = System["traffic"];
