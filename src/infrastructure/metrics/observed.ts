import type { FeedState } from "../../application/feeds/view-feed-items.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { Backlog } from "../../domain/events/outbox.ts";
import type { CacheUsage } from "../cache/near-cache.ts";
import type { Durations } from "./durations.ts";
import type { MetricReading } from "./metric-kinds.ts";
import type { Distribution } from "./read-histogram.ts";

/** Values that are read on each scrape. Plain numbers, so that requests pay nothing for them. */
export type Observed = {
  /** Number of responses, by route, method and status. */
  readonly requests: () => Iterable<MetricReading>;
  /** Durations by route and method, in the buckets of `durationBuckets`. */
  readonly durations: () => Iterable<Distribution>;
  /** Upper bounds in seconds. */
  readonly durationBuckets: readonly number[];
  /** Number of responses to `GET /features`, by result. */
  readonly evaluations: Readonly<Record<string, number>>;
  readonly caches: readonly { readonly connection: string; readonly content: string; readonly usage: CacheUsage }[];
  readonly invalidationFeeds: ReadonlyMap<string, InvalidationFeed>;
  /** Number of invalidations received, by connection, without those that have none. */
  readonly invalidations: ReadonlyMap<string, number>;
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
