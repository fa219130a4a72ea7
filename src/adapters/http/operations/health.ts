import { createRoute, z } from "@hono/zod-openapi";
import { resultWithin } from "../../../application/async/deadline.ts";
import type { ViewFeedItems } from "../../../application/feeds/view-feed-items.ts";
import type { CheckInstance } from "../../../application/system/check-instance.ts";
import type { SystemState, ViewSystem } from "../../../application/system/view-system.ts";
import { instantJson } from "../../instant-json.ts";
import { FeedStateBody, feedStateJson } from "../feeds/feed-state.ts";
import { uncached } from "../response-headers.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";

const Readiness = z
  .object({
    status: z.enum(["ready", "not ready", "stopping"]),
    log: z
      .literal("failing")
      .optional()
      .describe("The event log cannot be read or written. Clients are served, and changes apply and wait for it."),
    connections: z.record(z.string(), z.enum(["answering", "failing"])).optional(),
    sources: z.record(z.string(), z.enum(["answering", "failing"])).optional(),
    faults: z
      .record(z.string(), z.array(z.string()).readonly())
      .optional()
      .describe("Faults in the data of sources. Clients are still served; invalid features are off."),
    changes: z
      .record(
        z.string(),
        z.union([
          z.object({ state: z.enum(["accepted", "unknown"]) }),
          z.object({ state: z.literal("refused"), reason: z.string() }),
        ]),
      )
      .optional()
      .describe(
        "Whether each store accepts changes; `unknown` while the store is unavailable. Clients are served even if changes are rejected; `reason` states what an operator must fix.",
      ),
    feeds: z
      .record(z.string(), FeedStateBody)
      .optional()
      .describe("The state of each feed. Clients are served even if polls fail."),
    records: z
      .object({
        log: z.enum(["answering", "failing"]).describe("The event log."),
        waiting: z.record(
          z.string(),
          z
            .object({ entries: z.int(), oldest: z.iso.datetime().nullable() })
            .nullable()
            .describe("Change records that the log does not contain yet. Null if the store is unavailable."),
        ),
        deadLetters: z.int().describe("Number of change records that the log rejected."),
      })
      .optional()
      .describe("The event log. Clients are served and changes apply even if it is unavailable."),
  })
  .openapi("Readiness", {
    example: { status: "ready", connections: { features: "answering" }, sources: { global: "answering" } },
  });

const health = createRoute({
  method: "get",
  path: "/health",
  summary: "Check the service",
  tags: ["Health"],
  responses: { 200: jsonResponse("The service is up.", z.object({ status: z.literal("healthy") })) },
});

const live = createRoute({
  method: "get",
  path: "/health/live",
  summary: "Liveness: restart the process if this fails",
  tags: ["Health"],
  responses: { 200: jsonResponse("The process responds.", z.object({ status: z.literal("live") })) },
});

const ready = createRoute({
  method: "get",
  path: "/health/ready",
  summary: "Readiness: route clients elsewhere if this fails",
  description:
    "Reports the worst state in any worker of the instance, and a failing event log. Operators also get each connection, each source and the records that wait for the event log.",
  tags: ["Health"],
  security: [{}, { admin: ["viewer"] }, { adminAsPassword: ["viewer"] }],
  responses: {
    200: jsonResponse("The service can serve clients.", Readiness),
    503: jsonResponse("A required store or source is unavailable, or the service is stopping.", Readiness),
  },
});

/** Limit for the details that only operators get, in milliseconds. */
const maxDetailsMs = 2_000;

type HealthOptions = {
  readonly checkInstance: CheckInstance;
  readonly viewSystem: ViewSystem;
  readonly viewFeedItems: ViewFeedItems;
  readonly isStopping: () => boolean;
  /** Whether to serve the clients of the activity service, which call `/heath`. */
  readonly isActivityService: boolean;
};

/** `GET /health`, `/health/live` and `/health/ready`. */
export function healthRoutes(
  { app, operators }: OperatorRoutes,
  { checkInstance, viewSystem, viewFeedItems, isStopping, isActivityService }: HealthOptions,
): void {
  app.openapi(health, (c) => c.json({ status: "healthy" as const }, 200, uncached));
  if (isActivityService) {
    app.openapi(
      { ...health, path: "/heath", summary: "Check the service, under the path of the activity service" },
      (c) => c.json({ status: "healthy" as const }, 200, uncached),
    );
  }
  app.openapi(live, (c) => c.json({ status: "live" as const }, 200, uncached));
  app.openapi(ready, async (c) => {
    const isOperator = await operators.include(c);
    const [{ ready, log, connections, sources, faults }, system] = await Promise.all([
      checkInstance.check(),
      isOperator ? resultWithin(maxDetailsMs, () => viewSystem.state()) : undefined,
    ]);
    const feeds = Object.fromEntries([...viewFeedItems.states].map(([name, state]) => [name, feedStateJson(state)]));
    const details = {
      ...(log === "failing" && { log }),
      ...(isOperator && { connections, sources, faults, feeds }),
      ...(system && { changes: changesOf(system), records: recordsOf(system) }),
    };
    if (isStopping()) return c.json({ status: "stopping" as const, ...details }, 503, uncached);
    return ready
      ? c.json({ status: "ready" as const, ...details }, 200, uncached)
      : c.json({ status: "not ready" as const, ...details }, 503, uncached);
  });
}

const changesOf = ({ stores }: SystemState) => Object.fromEntries(stores.map(({ name, changes }) => [name, changes]));

const recordsOf = ({ log, waiting, deadLetters }: SystemState) => ({
  log,
  waiting: Object.fromEntries(
    Object.entries(waiting).map(([store, backlog]) => [
      store,
      backlog
        ? {
            entries: backlog.entries,
            oldest: instantJson(backlog.oldest),
          }
        : null,
    ]),
  ),
  deadLetters,
});
