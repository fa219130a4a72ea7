import { Counter, collectDefaultMetrics, Gauge, Registry } from "@prometheus-io/client";
import type { FeedState } from "../../application/feeds/view-feed-items.ts";
import type { Backlog } from "../../domain/admin/outbox.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { CacheUsage } from "../cache/near-cache.ts";
import { commandBounds, type Durations } from "./durations.ts";
import { type Distribution, ReadHistogram } from "./read-histogram.ts";

type Labels = Readonly<Record<string, string | number>>;
type Reading = { readonly labels: Labels; readonly value: number };

/** Values that are read on each scrape. Plain numbers, so that requests pay nothing for them. */
export type Observed = {
  /** Number of responses, by route, method and status. */
  readonly requests: () => Iterable<Reading>;
  /** Durations by route and method, in the buckets of `durationBuckets`. */
  readonly durations: () => Iterable<Distribution>;
  /** Upper bounds in seconds. */
  readonly durationBuckets: readonly number[];
  /** Number of responses to `GET /features`, by result. */
  readonly evaluations: Readonly<Record<string, number>>;
  readonly caches: readonly { readonly connection: string; readonly content: string; readonly usage: CacheUsage }[];
  readonly invalidationFeeds: ReadonlyMap<string, InvalidationFeed>;
  readonly sources: readonly string[];
  /** Number of failures by source, without sources that have none. */
  readonly failures: ReadonlyMap<string, number>;
  /** Records in the outboxes of this process that the event log does not contain yet, by store. */
  readonly backlogs: () => ReadonlyMap<string, Backlog>;
  /** Number of records that this process recorded as dead letters. */
  readonly deadLetters: () => number;
  /** Durations of Redis commands, by connection. */
  readonly commandDurations: ReadonlyMap<string, Durations>;
  /** State of the polled feeds, by source. */
  readonly feeds: () => ReadonlyMap<string, FeedState>;
  /** Streams of clients: open ones and notifications by kind, refused ones by limit, and those that were cut. */
  readonly streams: () => Record<"open" | "notified" | "refused", Readonly<Record<string, number>>> & {
    readonly cut: number;
  };
  /** Number of reports of Unleash clients, by event; empty if they are not served. */
  readonly unleashReports: Readonly<Record<string, number>>;
  /** Number of evaluations that were written to the usage store, and that were dropped. */
  readonly usage: () => { readonly recorded: number; readonly dropped: number };
  readonly now: () => Instant;
  /** Monotonic clock, in milliseconds. */
  readonly monotonic: () => number;
};

export type Metrics = Registry;

/** The metrics of Tidegate, read on scrape. */
export function metricsOf(observed: Observed): Metrics {
  const registry = new Registry();
  const kinds = kindsIn(registry);
  addHttp(kinds, observed);
  addCaches(kinds, observed);
  addSources(kinds, observed);
  addInvalidations(kinds, observed);
  addOutboxes(kinds, observed);
  addFeeds(kinds, observed);
  addStores(kinds, observed);
  addStreams(kinds, observed);
  addUsage(kinds, observed);
  return registry;
}

type Kinds = ReturnType<typeof kindsIn>;

/** Metric kinds, each created with the function that reads it. */
const kindsIn = (registry: Registry) => ({
  counter: (name: string, help: string, labelNames: string[], read: () => Iterable<Reading>) =>
    new Counter<string>({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc(labels, value);
      },
    }),
  /** `aggregator` defines how the values of several workers are combined. */
  gauge: (
    name: string,
    help: string,
    labelNames: string[],
    aggregator: "sum" | "min" | "max",
    read: () => Iterable<Reading>,
  ) =>
    new Gauge<string>({
      name,
      help,
      labelNames,
      aggregator,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    }),
  histogram: (
    name: string,
    help: string,
    labelNames: string[],
    buckets: readonly number[],
    read: () => Iterable<Distribution>,
  ) => registry.registerMetric(new ReadHistogram({ name, help, labelNames }, buckets, read)),
});

function addStores({ histogram }: Kinds, { commandDurations }: Observed): void {
  histogram(
    "tidegate_redis_command_duration_seconds",
    "Duration of Redis commands, from sending to the reply or the timeout.",
    ["connection"],
    commandBounds,
    function* () {
      for (const [connection, { counts, sum }] of commandDurations) yield { labels: { connection }, counts, sum };
    },
  );
}

function addHttp({ counter, gauge, histogram }: Kinds, observed: Observed): void {
  gauge("tidegate_workers", "Worker processes included in this scrape.", [], "sum", () => [{ labels: {}, value: 1 }]);
  counter(
    "tidegate_http_requests_total",
    "HTTP responses by route pattern, method and status. Route `unmatched`: no route, or rejected before routing. Method `_OTHER`: unknown.",
    ["route", "method", "status"],
    observed.requests,
  );
  histogram(
    "tidegate_http_request_duration_seconds",
    "Time from the request head to the response head, by route pattern and method. Excludes requests rejected before routing.",
    ["route", "method"],
    observed.durationBuckets,
    observed.durations,
  );
  counter(
    "tidegate_evaluations_total",
    "Responses to GET /features: `cached` from the response cache; evaluated: `fresh`, `stale` (a store is unavailable) or `partial` (without the sources that failed).",
    ["result"],
    () => Object.entries(observed.evaluations).map(([result, value]) => ({ labels: { result }, value })),
  );
  counter(
    "tidegate_unleash_reports_total",
    "Reports of Unleash clients: `received`, `forwarded` to the Unleash server, and `dropped` because it did not accept them or too many waited.",
    ["event"],
    () => Object.entries(observed.unleashReports).map(([event, value]) => ({ labels: { event }, value })),
  );
}

function addCaches({ counter, gauge }: Kinds, observed: Observed): void {
  const caches = ["connection", "content"];
  const ofCaches = (read: (usage: CacheUsage) => Readonly<Record<string, number>>, label: string) => () =>
    observed.caches.flatMap(({ connection, content, usage }) =>
      Object.entries(read(usage)).map(([name, value]) => ({
        labels: { connection, content, ...(label && { [label]: name }) },
        value,
      })),
    );
  counter(
    "tidegate_cache_lookups_total",
    "Near cache lookups of sets, rules, tokens and values (GET /proxy): `hit`: current; `miss`: read from the store; `stale`: store unavailable, last value used; `error`: store unavailable, no value. Cached responses need none.",
    [...caches, "result"],
    ofCaches(
      ({ counts: { hits, misses, stale, failures } }) => ({ hit: hits, miss: misses, stale, error: failures }),
      "result",
    ),
  );
  counter(
    "tidegate_cache_evictions_total",
    "Keys evicted from the near cache for lack of room. Raise cache.capacity if this increases steadily.",
    caches,
    ofCaches(({ counts }) => ({ evictions: counts.evictions }), ""),
  );
  gauge(
    "tidegate_cache_keys",
    "Keys in the near cache, including keys that are absent from the store.",
    caches,
    "sum",
    ofCaches(({ size }) => ({ size }), ""),
  );
}

function addSources({ counter }: Kinds, observed: Observed): void {
  counter(
    "tidegate_source_failures_total",
    "Failed evaluations of a source, and failed token lookups (source `tokens`).",
    ["source"],
    () => observed.sources.map((source) => ({ labels: { source }, value: observed.failures.get(source) ?? 0 })),
  );
}

function addInvalidations({ counter, gauge }: Kinds, observed: Observed): void {
  const ofFeeds = (read: (feed: InvalidationFeed, connection: string) => number) => () =>
    [...observed.invalidationFeeds].map(([connection, feed]) => ({
      labels: { connection },
      value: read(feed, connection),
    }));
  const received = countInvalidations(observed.invalidationFeeds);
  gauge(
    "tidegate_invalidation_up",
    "1 if cached reads are proven to be at most 1 s old, 0 if not. The minimum of all workers.",
    ["connection"],
    "min",
    ofFeeds((feed) => (feed.isLive(observed.now()) ? 1 : 0)),
  );
  gauge(
    "tidegate_invalidation_lag_seconds",
    "Time since the last proof that all invalidations were received. The maximum of all workers. Absent before the first proof.",
    ["connection"],
    "max",
    () =>
      ofFeeds((feed) => (observed.monotonic() - feed.syncedUntil(feed.epoch)) / 1_000)().filter(({ value }) =>
        Number.isFinite(value),
      ),
  );
  counter(
    "tidegate_invalidation_resyncs_total",
    "Invalidations of the whole cache: in Redis, one for each connection; in SQLite, one for each change.",
    ["connection"],
    ofFeeds(({ epoch }) => epoch),
  );
  counter(
    "tidegate_invalidations_total",
    "Invalidations received, of one key or of all.",
    ["connection"],
    ofFeeds((_, connection) => received.get(connection) ?? 0),
  );
}

function addOutboxes({ counter, gauge }: Kinds, observed: Observed): void {
  const ofBacklogs = (read: (backlog: Backlog) => number) => () =>
    [...observed.backlogs()].map(([connection, backlog]) => ({ labels: { connection }, value: read(backlog) }));
  gauge(
    "tidegate_outbox_entries",
    "Change records that the event log does not contain yet.",
    ["connection"],
    "max",
    ofBacklogs(({ entries }) => entries),
  );
  gauge(
    "tidegate_outbox_oldest_age_seconds",
    "Age of the oldest record in the outbox, 0 if it is empty. Alert at 60: the event log is unavailable or slow.",
    ["connection"],
    "max",
    ofBacklogs(({ oldest }) => (oldest === undefined ? 0 : Math.max(0, observed.now() - oldest) / 1_000)),
  );
  counter(
    "tidegate_outbox_dead_letters_total",
    "Change records that the event log rejected. Alert at 1: GET /events?component=tidegate lists them.",
    [],
    () => [{ labels: {}, value: observed.deadLetters() }],
  );
}

function addFeeds({ gauge }: Kinds, observed: Observed): void {
  const add = (name: string, help: string, read: (state: FeedState) => number | undefined) =>
    gauge(name, help, ["source"], "max", () =>
      [...observed.feeds()].flatMap(([source, state]) => {
        const value = read(state);
        return value === undefined ? [] : [{ labels: { source }, value }];
      }),
    );
  add("tidegate_feed_items", "Known items of a feed.", ({ known }) => known);
  add(
    "tidegate_feed_invalid_items",
    "Invalid items in the last document of a feed. GET /admin/v1/sources/{source}/items lists the faults.",
    ({ poll }) => poll?.invalid,
  );
  add(
    "tidegate_feed_last_success_timestamp_seconds",
    "Unix time of the last successful poll. Alert if it is several times pollSeconds ago. Absent before the first success.",
    ({ poll }) => (typeof poll?.succeededAt === "number" ? poll.succeededAt / 1_000 : undefined),
  );
  add(
    "tidegate_feed_breaker_open",
    "1 while the circuit breaker of a feed pauses polling after repeated failures, otherwise 0.",
    ({ poll }) => poll && Number(poll.breaker !== "closed"),
  );
}

function addStreams({ counter, gauge }: Kinds, { streams }: Observed): void {
  const by = (label: string, read: () => Readonly<Record<string, number>>) => () =>
    Object.entries(read()).map(([name, value]) => ({ labels: { [label]: name }, value }));
  gauge(
    "tidegate_streams_open",
    "Open streams of clients: `features` (GET /features/stream) and `ofrep` (event streams of OpenFeature).",
    ["kind"],
    "sum",
    by("kind", () => streams().open),
  );
  counter(
    "tidegate_stream_notifications_total",
    "Changes that were sent on streams of clients.",
    ["kind"],
    by("kind", () => streams().notified),
  );
  counter(
    "tidegate_streams_refused_total",
    "Streams of clients that were refused, by the limit of server.streams.",
    ["limit"],
    by("limit", () => streams().refused),
  );
  counter(
    "tidegate_streams_cut_total",
    "Streams of clients that were cut, because their reader read nothing for 30 s.",
    [],
    () => [{ labels: {}, value: streams().cut }],
  );
}

function addUsage({ counter }: Kinds, { usage }: Observed): void {
  counter("tidegate_usage_recorded_total", "Evaluations of features that were written to the usage counts.", [], () => [
    { labels: {}, value: usage().recorded },
  ]);
  counter(
    "tidegate_usage_dropped_total",
    "Evaluations of features that the usage counts lack: the event log was unavailable for too long, or over 20,000 features were evaluated in a minute.",
    [],
    () => [{ labels: {}, value: usage().dropped }],
  );
}

function countInvalidations(feeds: ReadonlyMap<string, InvalidationFeed>): ReadonlyMap<string, number> {
  const received = new Map<string, number>();
  for (const [connection, feed] of feeds) {
    feed.subscribe(() => received.set(connection, (received.get(connection) ?? 0) + 1));
  }
  return received;
}

let ofProcess: Metrics | undefined;

/** Metrics of the Node.js process: event loop, heap, garbage collection. Collected from the first call on. */
export function processMetrics(): Metrics {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess, eventLoopUtilizationTimeout: 1_000 });
    // Quantiles of several workers cannot be added.
    ofProcess.removeSingleMetric("nodejs_eventloop_utilization_summary");
  }
  return ofProcess;
}
