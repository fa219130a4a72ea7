import { z } from "@hono/zod-openapi";
import { roles } from "../../../domain/evaluation/source.ts";
import { FeedStateBody } from "../feeds/feed-state.ts";

const count = z.int();
const time = z.iso.datetime();

const Figures = z.object({
  start: time.describe("The begin of the span."),
  requestsPerSecond: z.number().describe("Requests of all routes."),
  evaluationsPerSecond: z.number().describe("Responses to clients with all their features."),
  p50Ms: z.number().nullable(),
  p99Ms: z
    .number()
    .nullable()
    .describe("Durations of evaluations for clients, estimated from a histogram. Null without requests."),
  hitRate: z.number().nullable().describe("The part of evaluations from the cache, from 0 to 1."),
  streams: count.describe("Open streams of clients at the end of the span."),
});

const Source = z.object({
  name: z.string(),
  label: z.string().nullable().describe("The display name in the configuration."),
  kind: z.string(),
  role: z.enum(roles),
  gatedBy: z.array(z.string()).readonly(),
  reads: z.string().nullable().describe("The file or URL that it reads, without a query."),
  state: z
    .enum(["evaluated", "unavailable", "skipped"])
    .describe("`skipped`: it is unavailable, and evaluations omit it. The worst state of all workers."),
  stale: z.boolean().describe("Whether cached values replaced reads that are too old or failed."),
  asOf: time
    .nullable()
    .describe("The last time at which its data were verified. Null if it reads nothing without a user."),
  error: z.string().nullable().describe("The present error."),
  lastError: z.object({ at: time, message: z.string() }).nullable().describe("The last error since the start."),
  failures: count.describe("Failed evaluations since the start."),
  faults: z.array(z.string()).readonly().describe("The faults in its data."),
  feed: FeedStateBody.nullable(),
});

const Store = z.object({
  name: z.string(),
  kind: z.enum(["redis", "sqlite"]),
  state: z.enum(["answering", "failing"]),
  synced: z
    .boolean()
    .nullable()
    .describe("Whether every change reaches the caches of all workers. Null if nothing of the store is cached."),
  changes: z.enum(["accepted", "unknown", "refused"]),
  reason: z.string().nullable().describe("Why changes are refused."),
  caches: z
    .array(
      z.object({
        content: z.enum(["sets", "values", "rules", "tokens"]),
        keys: count.describe("Number of cached keys in all workers; each has its own cache."),
        hits: count,
        misses: count,
        stale: count,
      }),
    )
    .describe("Lookups of keys since the start."),
});

const Instance = z.object({
  host: z.string(),
  pid: count.describe("The process of the instance: with several workers, the one that forks them."),
  version: z.string(),
  startedAt: time,
  workers: z.array(count).readonly().describe("The processes of its workers that answered last."),
  lastSeen: time.describe("When it answered last. It is listed for 10 minutes from then on."),
  own: z.boolean().describe("Whether it is the instance that answers this request."),
});

export const SystemBody = z
  .object({
    at: time,
    version: z.string(),
    environment: z.string(),
    host: z.string(),
    workers: z
      .array(z.object({ pid: count, startedAt: time, residentBytes: count }))
      .describe("The workers of this instance."),
    workersMissing: count.describe("Workers that did not report within 1 s."),
    instances: z
      .array(Instance)
      .describe("The instances that share a Redis store with this one, this one first. On SQLite only this one."),
    instancesUnnamed: count.describe("Connections of instances of earlier versions, which are not listed."),
    instancesMissing: count
      .nullable()
      .describe(
        "Connections to the store of which no answer arrived within 1 s. Null if their number is not known, as on SQLite.",
      ),
    traffic: Figures.describe("The last minute."),
    sources: z.array(Source).describe("In the order of the configuration."),
    stores: z.array(Store),
    eventLog: z.object({
      kind: z.enum(["sqlite", "postgres"]),
      state: z.enum(["answering", "failing"]),
      retentionDays: count.nullable(),
      waiting: z.array(
        z.object({
          store: z.string(),
          entries: count.nullable().describe("Null if the store does not answer."),
          oldest: time.nullable(),
        }),
      ),
      deadLetters: count.describe("Change records that the log rejected, since the start."),
    }),
    streams: z.record(z.string(), count).describe("Open streams: `features`, `ofrep`, and `events` of operators."),
    configuration: z.object({
      file: z.string(),
      loadedAt: time,
      document: z
        .unknown()
        .describe("The file as it is written, with variables that are not filled in. Other secrets are `***`."),
      overrides: z
        .record(z.string(), z.string())
        .describe("The environment variables that apply over the file, such as `PORT`. `DATABASE_URL` is `***`."),
    }),
  })
  .openapi("System");

export const SystemHistoryBody = z
  .object({
    stepSeconds: z.literal(15),
    points: z.array(Figures).describe("The last hour, the oldest first. Since the start, if shorter."),
  })
  .openapi("SystemHistory");
