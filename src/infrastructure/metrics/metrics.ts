import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { FeedState } from "../../application/feeds/view-feed-items.ts";
import type { Backlog } from "../../domain/admin/outbox.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { CacheUsage } from "../cache/near-cache.ts";

/** Values that are read on each scrape. Plain numbers, so that requests pay nothing for them. */
export type Observed = {
  /** Number of responses, by route and status. */
  readonly calls: () => Iterable<{ readonly route: string; readonly status: number; readonly count: number }>;
  /** Number of responses to `GET /features`, by kind. */
  readonly answers: Readonly<Record<string, number>>;
  readonly caches: readonly { readonly connection: string; readonly holds: string; readonly usage: CacheUsage }[];
  readonly feeds: ReadonlyMap<string, InvalidationFeed>;
  readonly sources: readonly string[];
  /** Number of failures by source, without sources that have none. */
  readonly failures: ReadonlyMap<string, number>;
  /** Records in the outboxes of this process that the event log does not contain yet, by store. */
  readonly backlogs: () => ReadonlyMap<string, Backlog>;
  /** Number of records that this process recorded as dead letters. */
  readonly setAside: () => number;
  /** Poll state of the feeds, by source. */
  readonly providers: () => ReadonlyMap<string, FeedState>;
  readonly now: () => Instant;
  /** Monotonic clock, in milliseconds. */
  readonly monotonic: () => number;
};

type Labels = Readonly<Record<string, string | number>>;
type Reading = { readonly labels: Labels; readonly value: number };

export type Metrics = Registry;
export type CommandTimes = Histogram<"connection">;

/** Histogram of Redis command durations. The connections record each command. */
export const commandTimes = (): CommandTimes =>
  new Histogram({
    name: "tidegate_redis_command_seconds",
    help: "How long Redis commands take, from when they are sent until they are answered or given up.",
    labelNames: ["connection"],
    buckets: [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5],
    registers: [],
  });

/** The metrics of Tidegate. Everything here is read on scrape, without cost before. */
export function metricsOf(observed: Observed, times: CommandTimes): Metrics {
  const registry = new Registry();
  const kinds = kindsIn(registry);
  tellCalls(kinds, observed);
  tellCaches(kinds, observed);
  tellSources(kinds, observed);
  tellFeeds(kinds, observed);
  tellRecords(kinds, observed);
  tellProviders(kinds, observed);
  registry.registerMetric(times);
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
});

function tellCalls({ counter, gauge }: Kinds, observed: Observed): void {
  gauge("tidegate_workers", "Processes that serve and have told of themselves.", [], "sum", () => [
    { labels: {}, value: 1 },
  ]);
  counter(
    "tidegate_calls_total",
    "Calls answered, by the route's pattern and the status; `unmatched` is all that is at no route or no request.",
    ["route", "status"],
    () => Array.from(observed.calls(), ({ route, status, count }) => ({ labels: { route, status }, value: count })),
  );
  counter(
    "tidegate_answers_total",
    "Answers of GET /features: `remembered` were sent again as they were; the others were made: `fresh`, `stale` (of a store that is away) or `incomplete` (sources were left out).",
    ["kind"],
    () => Object.entries(observed.answers).map(([kind, value]) => ({ labels: { kind }, value })),
  );
}

function tellCaches({ counter, gauge }: Kinds, observed: Observed): void {
  const caches = ["connection", "holds"];
  const ofCaches = (read: (usage: CacheUsage) => Readonly<Record<string, number>>, label: string) => () =>
    observed.caches.flatMap(({ connection, holds, usage }) =>
      Object.entries(read(usage)).map(([name, value]) => ({
        labels: { connection, holds, ...(label && { [label]: name }) },
        value,
      })),
    );
  counter(
    "tidegate_cache_lookups_total",
    "Sets, rules, tokens and values (`GET /proxy`) asked of the near cache: `hit` was current; `miss` was read; `stale` could not be read, the last known value was taken; `failure` had none. A remembered answer asks for none.",
    [...caches, "outcome"],
    ofCaches(
      ({ counts: { hits, misses, stale, failures } }) => ({ hit: hits, miss: misses, stale, failure: failures }),
      "outcome",
    ),
  );
  counter(
    "tidegate_cache_evictions_total",
    "Keys that were pushed out of the near cache for others; raise cache.capacity when it rises steadily.",
    caches,
    ofCaches(({ counts }) => ({ evictions: counts.evictions }), ""),
  );
  gauge(
    "tidegate_cache_keys",
    "Keys in the near cache, those that hold nothing among them.",
    caches,
    "sum",
    ofCaches(({ size }) => ({ size }), ""),
  );
}

function tellSources({ counter }: Kinds, observed: Observed): void {
  counter(
    "tidegate_source_failures_total",
    "How often a source, or the store of tokens (`tokens`), failed when it was asked.",
    ["source"],
    () => observed.sources.map((source) => ({ labels: { source }, value: observed.failures.get(source) ?? 0 })),
  );
}

function tellFeeds({ counter, gauge }: Kinds, observed: Observed): void {
  const ofFeeds = (read: (feed: InvalidationFeed, connection: string) => number) => () =>
    [...observed.feeds].map(([connection, feed]) => ({ labels: { connection }, value: read(feed, connection) }));
  const told = countTold(observed.feeds);
  gauge(
    "tidegate_feed_live",
    "1 while the change feed proves that what is remembered is at most a second old; 0 when a worker's does not.",
    ["connection"],
    "min",
    ofFeeds((feed) => (feed.isLive(observed.now()) ? 1 : 0)),
  );
  gauge(
    "tidegate_feed_lease_age_seconds",
    "How long ago the change feed was last known to have told everything; the oldest of all workers'. Missing before it ever was.",
    ["connection"],
    "max",
    () =>
      ofFeeds((feed) => (observed.monotonic() - feed.syncedUntil(feed.epoch)) / 1_000)().filter(({ value }) =>
        Number.isFinite(value),
      ),
  );
  counter(
    "tidegate_feed_epochs_total",
    "How often the change feed began anew, so that everything is read again: with Redis its connections, with SQLite every change.",
    ["connection"],
    ofFeeds(({ epoch }) => epoch),
  );
  counter(
    "tidegate_feed_invalidations_total",
    "Changes that the change feed told of.",
    ["connection"],
    ofFeeds((_, connection) => told.get(connection) ?? 0),
  );
}

function tellRecords({ counter, gauge }: Kinds, observed: Observed): void {
  const ofBacklogs = (read: (backlog: Backlog) => number) => () =>
    [...observed.backlogs()].map(([connection, backlog]) => ({ labels: { connection }, value: read(backlog) }));
  gauge(
    "tidegate_outbox_entries",
    "Records of changes that are not in the event log yet.",
    ["connection"],
    "max",
    ofBacklogs(({ entries }) => entries),
  );
  gauge(
    "tidegate_outbox_oldest_seconds",
    "How long the oldest of them has waited; 0 where none does. Alarm at a minute: the log is away, or too slow.",
    ["connection"],
    "max",
    ofBacklogs(({ oldest }) => (oldest === undefined ? 0 : Math.max(0, observed.now() - oldest) / 1_000)),
  );
  counter(
    "tidegate_outbox_set_aside_total",
    "Records that the log could not take as what they were. Alarm at the first: GET /events?component=tidegate has them.",
    [],
    () => [{ labels: {}, value: observed.setAside() }],
  );
}

function tellProviders({ gauge }: Kinds, observed: Observed): void {
  const tell = (name: string, help: string, read: (state: FeedState) => number | undefined) =>
    gauge(name, help, ["source"], "max", () =>
      [...observed.providers()].flatMap(([source, state]) => {
        const value = read(state);
        return value === undefined ? [] : [{ labels: { source }, value }];
      }),
    );
  tell("tidegate_provider_items", "Items of a partner that are known.", ({ known }) => known);
  tell(
    "tidegate_provider_invalid_items",
    "Items of a partner's last document that cannot be used; GET /admin/v1/sources/{name}/items tells why.",
    ({ poll }) => poll?.invalid,
  );
  tell(
    "tidegate_provider_last_success_seconds",
    "How long ago a partner's document was last read, or known to be as before. Alarm at some times of pollSeconds.",
    ({ poll }) =>
      typeof poll?.succeededAt === "number" ? Math.max(0, observed.now() - poll.succeededAt) / 1_000 : undefined,
  );
  tell(
    "tidegate_provider_breaker_open",
    "1 while a partner that failed often is left alone; 0 otherwise.",
    ({ poll }) => poll && Number(poll.breaker !== "closed"),
  );
}

function countTold(feeds: ReadonlyMap<string, InvalidationFeed>): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  for (const [connection, feed] of feeds) {
    feed.subscribe(() => told.set(connection, (told.get(connection) ?? 0) + 1));
  }
  return told;
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
