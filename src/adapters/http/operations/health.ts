import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CheckChanges } from "../../../application/evaluation/check-changes.ts";
import type { CheckReadiness } from "../../../application/evaluation/check-readiness.ts";
import type { CheckEventLog, RecordsState } from "../../../application/events/check-event-log.ts";
import type { ViewFeedItems } from "../../../application/feeds/view-feed-items.ts";
import { FeedStateBody, shownState } from "../feeds/feed-state.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { uncached } from "../kit/response-headers.ts";

const Readiness = z
  .object({
    status: z.enum(["ready", "not ready", "stopping"]),
    log: z.literal("failing").optional().openapi({
      description: "The event log cannot be read or written. Clients are served, and changes apply and wait for it.",
    }),
    connections: z.record(z.string(), z.enum(["answering", "failing"])).optional(),
    sources: z.record(z.string(), z.enum(["answering", "failing"])).optional(),
    faults: z.record(z.string(), z.array(z.string()).readonly()).optional().openapi({
      description: "The faults of what sources evaluate. Clients are answered all the same: an invalid feature is off.",
    }),
    changes: z
      .record(
        z.string(),
        z.union([
          z.object({ state: z.enum(["accepted", "unknown"]) }),
          z.object({ state: z.literal("refused"), reason: z.string() }),
        ]),
      )
      .optional()
      .openapi({
        description:
          "By connection: whether the store accepts changes. It is `unknown` while the store does not answer. Clients are answered also while changes are refused; `reason` names what an operator has to fix.",
      }),
    feeds: z.record(z.string(), FeedStateBody).optional().openapi({
      description: "The sources that read a partner's document. Clients are answered also while that fails.",
    }),
    records: z
      .object({
        log: z.enum(["answering", "failing"]).openapi({ description: "The event log." }),
        waiting: z.record(
          z.string(),
          z.object({ entries: z.int(), oldest: z.iso.datetime().nullable() }).nullable().openapi({
            description: "Records of changes that are not in the log yet. Null where the store does not tell.",
          }),
        ),
        deadLetters: z.int().openapi({ description: "Records that the log could not take as what they were." }),
      })
      .optional()
      .openapi({ description: "Clients are answered, and changes made, also while the log is away." }),
  })
  .openapi("Readiness", {
    example: { status: "ready", connections: { features: "answering" }, sources: { global: "answering" } },
  });

const health = createRoute({
  method: "get",
  path: "/health",
  summary: "Whether the service is up",
  tags: ["Health"],
  responses: { 200: { description: "It is.", content: jsonContent(z.object({ status: z.literal("healthy") })) } },
});

const live = createRoute({
  method: "get",
  path: "/health/live",
  summary: "Whether the process answers; restart it when it does not",
  tags: ["Health"],
  responses: { 200: { description: "It does.", content: jsonContent(z.object({ status: z.literal("live") })) } },
});

const ready = createRoute({
  method: "get",
  path: "/health/ready",
  summary: "Whether clients would be answered now; send them elsewhere when not",
  description:
    "Shows also if the event log fails. Operators see each connection and each source, and what waits for the event log.",
  tags: ["Health"],
  security: [{}, { admin: ["viewer"] }, { adminAsPassword: ["viewer"] }],
  responses: {
    200: { description: "They would.", content: jsonContent(Readiness) },
    503: {
      description: "A store or a source that is needed does not answer, or the service is stopping.",
      content: jsonContent(Readiness),
    },
  },
});

/** `GET /health`, `/health/live` and `/health/ready`. */
export function healthChecks(
  app: OpenAPIHono,
  operators: Operators,
  checkReadiness: CheckReadiness,
  checkChanges: CheckChanges,
  checkRecords: CheckEventLog,
  viewItems: ViewFeedItems,
  isStopping: () => boolean,
  isActivityService: boolean,
): void {
  app.openapi(health, (c) => c.json({ status: "healthy" as const }, 200, uncached));
  if (isActivityService) {
    app.openapi({ ...health, path: "/heath", summary: "The same, as the activity service spells it" }, (c) =>
      c.json({ status: "healthy" as const }, 200, uncached),
    );
  }
  app.openapi(live, (c) => c.json({ status: "live" as const }, 200, uncached));
  app.openapi(ready, async (c) => {
    const isOperator = await operators.include(c);
    const [{ ready, connections, sources, faults }, log, changes, records] = await Promise.all([
      checkReadiness.check(),
      checkRecords.log(),
      isOperator ? checkChanges.check() : undefined,
      isOperator ? checkRecords.check() : undefined,
    ]);
    const feeds = Object.fromEntries([...viewItems.states].map(([name, state]) => [name, shownState(state)]));
    const details = {
      ...(log === "failing" && { log }),
      ...(records && { connections, sources, faults, changes, feeds, records: shown(records) }),
    };
    if (isStopping()) return c.json({ status: "stopping" as const, ...details }, 503, uncached);
    return ready
      ? c.json({ status: "ready" as const, ...details }, 200, uncached)
      : c.json({ status: "not ready" as const, ...details }, 503, uncached);
  });
}

const shown = ({ log, waiting, deadLetters: setAside }: RecordsState) => ({
  log,
  waiting: Object.fromEntries(
    Object.entries(waiting).map(([store, backlog]) => [
      store,
      backlog
        ? {
            entries: backlog.entries,
            oldest: backlog.oldest === undefined ? null : new Date(backlog.oldest).toISOString(),
          }
        : null,
    ]),
  ),
  deadLetters: setAside,
});
