import type { z } from "@hono/zod-openapi";
import type { ViewFeedItems } from "../../../application/feeds/view-feed-items.ts";
import type { SystemState, TrafficFigures, ViewSystem } from "../../../application/system/view-system.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import type { DeclaredSource } from "../../../domain/evaluation/source.ts";
import { instantJson } from "../../instant-json.ts";
import { feedStateJson } from "../feeds/feed-state.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { SystemBody, SystemHistoryBody } from "./system-body.ts";

/** An instance, from its configuration. Contains no secret. */
export type SystemDescription = {
  readonly version: string;
  readonly environment: string;
  readonly host: string;
  readonly sources: readonly (DeclaredSource & {
    readonly label: string | undefined;
    readonly kind: string;
    readonly reads: string | undefined;
  })[];
  readonly stores: Readonly<Record<string, "redis" | "sqlite">>;
  readonly eventLog: { readonly kind: "sqlite" | "postgres"; readonly retentionDays: number | undefined };
  readonly configuration: {
    readonly file: string;
    readonly loadedAt: Instant;
    readonly document: Json;
    readonly overrides: Readonly<Record<string, string>>;
  };
};

/** `GET /admin/v1/system` and `/admin/v1/system/history`: the state of the instance and its traffic. */
export function systemRoutes(
  routes: OperatorRoutes,
  {
    viewSystem,
    viewFeedItems,
    system,
  }: { readonly viewSystem: ViewSystem; readonly viewFeedItems: ViewFeedItems; readonly system: SystemDescription },
) {
  const view = routes.add(
    {
      method: "get",
      path: "/admin/v1/system",
      summary: "Get the state of this instance",
      description:
        "Its workers, sources with their freshness, stores, event log, streams, the traffic of the last minute, and the configuration without secrets; merged over its workers. If a worker does not report within 1 s, it is left out.",
      tags: ["Operation"],
      scope: "viewer",
      responses: { 200: jsonResponse("The state.", SystemBody) },
    },
    async () => systemJson(system, await viewSystem.state(), viewFeedItems),
  );

  const history = routes.add(
    {
      method: "get",
      path: "/admin/v1/system/history",
      summary: "Get the traffic of the last hour",
      description: "Points of 15 seconds, kept in memory, and merged over the workers of this instance.",
      tags: ["Operation"],
      scope: "viewer",
      responses: { 200: jsonResponse("The points.", SystemHistoryBody) },
    },
    async () => {
      const points = (await viewSystem.history()).map(figuresJson);
      return { stepSeconds: 15, points } satisfies z.output<typeof SystemHistoryBody>;
    },
  );

  return [view, history] as const;
}

function systemJson(
  { version, environment, host, sources, stores, eventLog, configuration }: SystemDescription,
  state: SystemState,
  viewItems: ViewFeedItems,
): z.output<typeof SystemBody> {
  const reports = new Map(state.sources.map((report) => [report.name, report]));
  return {
    at: instantText(state.at),
    version,
    environment,
    host,
    workers: state.workers.map((worker) => ({ ...worker, startedAt: instantText(worker.startedAt) })),
    workersMissing: state.missing,
    instances: state.instances.instances.map(({ isOwn: own, startedAt, lastSeen, workers, ...instance }) => ({
      ...instance,
      startedAt: instantText(startedAt),
      workers: own ? state.workers.map(({ pid }) => pid) : workers,
      lastSeen: instantText(lastSeen),
      own,
    })),
    instancesUnnamed: state.instances.unnamed,
    instancesMissing: state.instances.missing ?? null,
    traffic: figuresJson(state.traffic),
    sources: sources.map(({ name, label = null, kind, role, gatedBy, reads = null }) => {
      const report = reports.get(name);
      const feed = viewItems.states.get(name);
      return {
        ...{ name, label, kind, role, gatedBy, reads },
        state: report?.state ?? "unavailable",
        stale: report?.stale ?? false,
        asOf: instantJson(report?.asOf),
        error: report?.error ?? null,
        lastError: report?.lastError ? { ...report.lastError, at: instantText(report.lastError.at) } : null,
        failures: report?.failures ?? 0,
        faults: report?.faults ?? [],
        feed: feed ? feedStateJson(feed) : null,
      };
    }),
    stores: state.stores.map(({ name, state: answer, isSynced, changes, caches }) => ({
      name,
      kind: stores[name] ?? "redis",
      state: answer,
      synced: isSynced,
      changes: changes.state,
      reason: changes.state === "refused" ? changes.reason : null,
      caches: caches.map(({ content, size, hits, misses, stale }) => ({
        content: content as "sets" | "values" | "rules" | "tokens",
        keys: size,
        ...{ hits, misses, stale },
      })),
    })),
    eventLog: {
      kind: eventLog.kind,
      state: state.log,
      retentionDays: eventLog.retentionDays ?? null,
      waiting: Object.entries(state.waiting).map(([store, backlog]) => ({
        store,
        entries: backlog?.entries ?? null,
        oldest: instantJson(backlog?.oldest),
      })),
      deadLetters: state.deadLetters,
    },
    streams: { ...state.streams },
    configuration: { ...configuration, loadedAt: instantText(configuration.loadedAt) },
  };
}

const figuresJson = (figures: TrafficFigures): z.output<typeof SystemBody>["traffic"] => ({
  start: instantText(figures.start),
  requestsPerSecond: rounded(figures.requestsPerSecond),
  evaluationsPerSecond: rounded(figures.evaluationsPerSecond),
  p50Ms: figures.p50Ms === undefined ? null : rounded(figures.p50Ms),
  p99Ms: figures.p99Ms === undefined ? null : rounded(figures.p99Ms),
  hitRate: figures.hitRate === undefined ? null : rounded(figures.hitRate),
  streams: figures.streams,
});

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
