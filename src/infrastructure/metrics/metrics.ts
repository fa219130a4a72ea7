import { Registry } from "@prometheus-io/client";
import type { FeedState } from "../../application/feeds/view-feed-items.ts";
import { type Kinds, kindsIn } from "./metric-kinds.ts";
import type { Observed } from "./observed.ts";
import { addStores } from "./store-metrics.ts";

export type Metrics = Registry;

/** The metrics of Tidegate, read on scrape. */
export function metricsOf(observed: Observed): Metrics {
  const registry = new Registry();
  const kinds = kindsIn(registry);
  addHttp(kinds, observed);
  addSources(kinds, observed);
  addFeeds(kinds, observed);
  addStores(kinds, observed);
  addStreams(kinds, observed);
  addUsage(kinds, observed);
  return registry;
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

function addSources({ counter }: Kinds, observed: Observed): void {
  counter(
    "tidegate_source_failures_total",
    "Failed evaluations of a source, and failed token lookups (source `tokens`).",
    ["source"],
    () => observed.sources.map((source) => ({ labels: { source }, value: observed.failures.get(source) ?? 0 })),
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
