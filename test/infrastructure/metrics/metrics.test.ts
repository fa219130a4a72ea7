import { Histogram } from "@prometheus-io/client";
import { describe, expect, it, vi } from "vitest";
import { durationBuckets, HttpCounters } from "../../../src/adapters/http/operations/http-counters.ts";
import { countInvalidations } from "../../../src/infrastructure/metrics/count-invalidations.ts";
import { commandBounds, Durations } from "../../../src/infrastructure/metrics/durations.ts";
import { InstanceMetrics } from "../../../src/infrastructure/metrics/instance-metrics.ts";
import { metricsOf } from "../../../src/infrastructure/metrics/metrics.ts";
import type { Observed } from "../../../src/infrastructure/metrics/observed.ts";
import { type MetricsSnapshot, metricsText, Totals } from "../../../src/infrastructure/metrics/scrape.ts";

const feed = {
  epoch: 3,
  generation: 0,
  isLive: () => true,
  syncedUntil: () => 9_500,
  notify: () => {},
  subscribe: () => {},
};

function observed(more: Partial<Observed> = {}): Observed {
  const counters = new HttpCounters();
  return {
    requests: () => counters.requests(),
    durations: () => counters.durations(),
    durationBuckets,
    evaluations: counters.evaluations,
    caches: [],
    invalidationFeeds: new Map(),
    invalidations: new Map(),
    sources: [],
    failures: new Map(),
    backlogs: () => new Map(),
    deadLetters: () => 0,
    commandDurations: new Map(),
    feeds: () => new Map(),
    streams: () => ({ open: {}, notified: {}, refused: {}, cut: 0 }),
    unleashReports: { received: 0 },
    usage: () => ({ recorded: 7, dropped: 2 }),
    now: () => 10_000,
    monotonic: () => 10_000,
    ...more,
  };
}

const textWith = (more: Partial<Observed>) => metricsOf(observed(more)).metrics();

describe("the metrics", () => {
  it("follow Prometheus' conventions for names and help", () => {
    const metrics = metricsOf(observed()).getMetricsAsArray();
    expect(metrics.length).toBeGreaterThan(10);
    for (const { name, help, type } of metrics) {
      expect(name).toMatch(/^tidegate_[a-z_]+$/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      if (/^(Time|Age|Duration|Unix time)\b/.test(help)) expect(name, help).toMatch(/_seconds$/);
      expect(help.length, name).toBeLessThan(260);
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  it("count responses by route, method and status, and evaluations by result", async () => {
    const counters = new HttpCounters();
    for (const status of [200, 200, 304]) counters.of("/features", "GET").count(status);
    counters.of("/features", "HEAD").count(200);
    for (const method of ["PROPFIND", undefined]) counters.of("unmatched", method).count(501);
    counters.evaluations.cached += 2;
    const text = await textWith({ requests: () => counters.requests(), evaluations: counters.evaluations });
    expect(text).toContain('tidegate_http_requests_total{route="/features",method="GET",status="200"} 2\n');
    expect(text).toContain('tidegate_http_requests_total{route="/features",method="GET",status="304"} 1\n');
    expect(text).toContain('tidegate_http_requests_total{route="/features",method="HEAD",status="200"} 1\n');
    expect(text).toContain('tidegate_http_requests_total{route="unmatched",method="_OTHER",status="501"} 2\n');
    expect(text.match(/tidegate_http_requests_total\{/g)).toHaveLength(4);
    expect(text).toContain('tidegate_evaluations_total{result="cached"} 2\n');
    expect(text).toContain('tidegate_evaluations_total{result="stale"} 0\n');
  });

  it("observe durations in cumulative buckets, as prom-client does", async () => {
    const counters = new HttpCounters();
    const name = "tidegate_http_request_duration_seconds";
    const library = new Histogram({
      name,
      help: "-",
      labelNames: ["route", "method"],
      buckets: [...durationBuckets],
      registers: [],
    });
    vi.spyOn(performance, "now").mockReturnValue(20_000);
    for (const ms of [0, 0.02, 0.1, 0.101, 3, 5_000, 12_000]) {
      counters.of("/features", "GET").measure(200, 20_000 - ms);
      library.observe({ route: "/features", method: "GET" }, (20_000 - (20_000 - ms)) / 1_000);
    }
    vi.restoreAllMocks();
    const registry = metricsOf(observed({ durations: () => counters.durations() }));
    const measured = (await registry.getMetricsAsJSON()).find((metric) => metric.name === name);
    expect(measured?.values).toEqual(
      (await library.get()).values.map(({ metricName, labels, value }) => ({ metricName, labels, value })),
    );
    expect(await registry.metrics()).toContain(`${name}_bucket{le="+Inf",route="/features",method="GET"} 7\n`);
    counters.clear();
    expect(await registry.metrics()).not.toContain(`${name}_count`);
  });

  it("read near caches, sources and feeds on each scrape", async () => {
    const usage = { counts: { hits: 4, misses: 3, stale: 2, failures: 1, evictions: 5 }, size: 6 };
    const failures = new Map([["user", 7]]);
    const listeners: ((key: string | undefined) => void)[] = [];
    const invalidationFeeds = new Map([["features", { ...feed, subscribe: listeners.push.bind(listeners) }]]);
    const metrics = metricsOf(
      observed({
        caches: [{ connection: "features", content: "sets", usage }],
        sources: ["global", "user"],
        failures,
        invalidationFeeds,
        invalidations: countInvalidations(invalidationFeeds),
      }),
    );
    for (const listener of listeners) for (const key of ["a", "b", undefined]) listener(key);
    const text = await metrics.metrics();
    const of = 'connection="features",content="sets"';
    for (const line of [
      `tidegate_cache_lookups_total{${of},result="hit"} 4`,
      `tidegate_cache_lookups_total{${of},result="miss"} 3`,
      `tidegate_cache_lookups_total{${of},result="stale"} 2`,
      `tidegate_cache_lookups_total{${of},result="error"} 1`,
      `tidegate_cache_evictions_total{${of}} 5`,
      `tidegate_cache_keys{${of}} 6`,
      'tidegate_source_failures_total{source="global"} 0',
      'tidegate_source_failures_total{source="user"} 7',
      'tidegate_invalidation_up{connection="features"} 1',
      'tidegate_invalidation_lag_seconds{connection="features"} 0.5',
      'tidegate_invalidation_resyncs_total{connection="features"} 3',
      'tidegate_invalidations_total{connection="features"} 3',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    usage.counts.hits = 40;
    failures.set("user", 70);
    expect(await metrics.metrics()).toContain(`${of},result="hit"} 40\n`);
    expect(await metrics.metrics()).toContain('{source="user"} 70\n');
  });

  it("omit the lag of a lease that never existed", async () => {
    const never = { ...feed, isLive: () => false, syncedUntil: () => Number.NEGATIVE_INFINITY };
    const text = await textWith({ invalidationFeeds: new Map([["features", never]]) });
    expect(text).toContain('tidegate_invalidation_up{connection="features"} 0\n');
    expect(text).not.toContain("tidegate_invalidation_lag_seconds{");
  });
});

describe("the sum over workers", () => {
  /** The metrics of a worker with this number of requests, command duration and age of its lease. */
  async function worker(calls: number, leaseAge: number): Promise<MetricsSnapshot> {
    const times = new Durations(commandBounds);
    times.record(0.003);
    const registry = metricsOf(
      observed({
        requests: () => [{ labels: { route: "/features", method: "GET", status: 200 }, value: calls }],
        invalidationFeeds: new Map([["features", { ...feed, syncedUntil: () => 10_000 - leaseAge * 1_000 }]]),
        commandDurations: new Map([["features", times]]),
      }),
    );
    // As received from another process.
    return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()));
  }
  const calls = (text: string) => Number(/tidegate_http_requests_total\{.*\} (\d+)/.exec(text)?.[1]);

  it("adds counts and histograms, and takes the oldest lease", async () => {
    const totals = new Totals<string>();
    const snapshots = new Map([
      ["a", await worker(5, 0.2)],
      ["b", await worker(7, 0.9)],
    ]);
    for (const [name, snapshot] of snapshots) totals.report(name, snapshot);
    const text = await metricsText(totals.sum(snapshots));
    expect(calls(text)).toBe(12);
    expect(text).toContain("tidegate_workers 2\n");
    expect(text).toContain('tidegate_invalidation_lag_seconds{connection="features"} 0.9\n');
    expect(text).toContain('tidegate_redis_command_duration_seconds_count{connection="features"} 2\n');
    expect(text).toContain('tidegate_redis_command_duration_seconds_bucket{le="0.005",connection="features"} 2\n');
    expect(text).toContain('tidegate_redis_command_duration_seconds_bucket{le="0.0025",connection="features"} 0\n');
  });

  it("keeps the counters of a worker that ended or does not respond, but none of its gauges", async () => {
    const totals = new Totals<string>();
    const [a, b] = [await worker(5, 0.2), await worker(7, 0.9)];
    totals.report("a", a);
    totals.report("b", b);
    const silent = await metricsText(totals.sum(new Map([["a", a]])));
    expect([calls(silent), /tidegate_workers (\d)/.exec(silent)?.[1]]).toEqual([12, "1"]);
    expect(silent).toContain('tidegate_invalidation_lag_seconds{connection="features"} 0.2\n');
    totals.end("b");
    totals.report("a", await worker(6, 0.2));
    const c = await worker(1, 0.2);
    totals.report("c", c);
    expect(calls(await metricsText(totals.sum(new Map([["c", c]]))))).toBe(14);
    totals.end("a");
    totals.end("unheard of");
    expect(
      calls(
        await metricsText(
          totals.sum(
            new Map([
              ["c", c],
              ["b", b],
            ]),
          ),
        ),
      ),
    ).toBe(14);
    expect(await metricsText(totals.sum(new Map()))).toContain(
      'tidegate_redis_command_duration_seconds_count{connection="features"} 3\n',
    );
  });
});

describe("the metrics of a process", () => {
  it("keep the counters of an earlier configuration, and add those of the next one", async () => {
    const metrics = new InstanceMetrics();
    const called = (count: number) =>
      observed({ requests: () => [{ labels: { route: "/features", method: "GET", status: 200 }, value: count }] });
    const calls = async () => Number(/^tidegate_http_requests_total\{.*\} (\d+)$/m.exec(await metrics.scrape())?.[1]);
    const before = metrics.add(called(5));
    expect(await calls()).toBe(5);
    metrics.add(called(2));
    expect(await calls()).toBe(7);
    await before[Symbol.asyncDispose]();
    expect(await calls()).toBe(7);
    expect(await metrics.scrape()).toMatch(/^process_cpu_seconds_total /m);
  });

  it("count nothing twice if a configuration ends during a scrape", async () => {
    const called = (count: number) =>
      observed({ requests: () => [{ labels: { route: "/features", method: "GET", status: 200 }, value: count }] });
    for (let turns = 0; turns < 40; turns++) {
      const metrics = new InstanceMetrics();
      const before = metrics.add(called(100));
      metrics.add(called(1));
      const scraped = metrics.scrape();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await before[Symbol.asyncDispose]();
      await scraped;
      expect(await metrics.scrape()).toMatch(/^tidegate_http_requests_total\{.*\} 101$/m);
    }
  });

  it("report the number and age of records that wait for the event log", async () => {
    const backlogs = new Map([
      ["features", { entries: 3, oldest: 4_000 }],
      ["users", { entries: 0, oldest: undefined }],
    ]);
    const text = await textWith({ backlogs: () => backlogs, deadLetters: () => 2 });
    expect(text).toContain('tidegate_outbox_entries{connection="features"} 3');
    expect(text).toContain('tidegate_outbox_oldest_age_seconds{connection="features"} 6');
    expect(text).toContain('tidegate_outbox_oldest_age_seconds{connection="users"} 0');
    expect(text).toContain("tidegate_outbox_dead_letters_total 2");
  });
});
