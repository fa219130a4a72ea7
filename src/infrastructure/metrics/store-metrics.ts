import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { Backlog } from "../../domain/events/outbox.ts";
import type { CacheUsage } from "../cache/near-cache.ts";
import { commandBounds } from "./durations.ts";
import type { Kinds } from "./metric-kinds.ts";
import type { Observed } from "./observed.ts";

/** Adds the metrics of stores: commands, caches, invalidations and outboxes. */
export function addStores(kinds: Kinds, observed: Observed): void {
  addCommands(kinds, observed);
  addCaches(kinds, observed);
  addInvalidations(kinds, observed);
  addOutboxes(kinds, observed);
}

function addCommands({ histogram }: Kinds, { commandDurations }: Observed): void {
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

function addInvalidations({ counter, gauge }: Kinds, observed: Observed): void {
  const ofFeeds = (read: (feed: InvalidationFeed, connection: string) => number) => () =>
    [...observed.invalidationFeeds].map(([connection, feed]) => ({
      labels: { connection },
      value: read(feed, connection),
    }));
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
    ofFeeds((_, connection) => observed.invalidations.get(connection) ?? 0),
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
