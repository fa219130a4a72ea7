import { describe, expect, it } from "vitest";
import { Counts } from "../../../src/adapters/http/operations/counts.ts";
import { Figures } from "../../../src/infrastructure/metrics/figures.ts";
import { commandTimes, metricsOf, type Observed } from "../../../src/infrastructure/metrics/metrics.ts";
import { type Snapshot, snapshotOf, Totals, textOf } from "../../../src/infrastructure/metrics/scrape.ts";

const feed = {
  epoch: 3,
  generation: 0,
  isLive: () => true,
  syncedUntil: () => 9_500,
  notify: () => {},
  subscribe: () => {},
};

function observed(more: Partial<Observed> = {}): Observed {
  const counts = new Counts();
  return {
    calls: () => counts.calls(),
    answers: counts.answers,
    caches: [],
    feeds: new Map(),
    sources: [],
    failures: new Map(),
    backlogs: () => new Map(),
    setAside: () => 0,
    providers: () => new Map(),
    now: () => 10_000,
    monotonic: () => 10_000,
    ...more,
  };
}

const textWith = (more: Partial<Observed>) => metricsOf(observed(more), commandTimes()).metrics();

describe("the metrics", () => {
  it("have names and help by Prometheus' conventions", () => {
    const metrics = metricsOf(observed(), commandTimes()).getMetricsAsArray();
    expect(metrics.length).toBeGreaterThan(10);
    for (const { name, help, type } of metrics) {
      expect(name).toMatch(/^tidegate_[a-z_]+$/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      if (/time|age|took|long/.test(help) && type !== "counter") expect(name, help).toMatch(/_seconds$|_live$/);
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  it("count calls by route and status, and answers by kind", async () => {
    const counts = new Counts();
    for (const status of [200, 200, 304]) counts.count("/features", status);
    counts.count("unmatched", 404);
    counts.answers.remembered += 2;
    const text = await textWith({ calls: () => counts.calls(), answers: counts.answers });
    expect(text).toContain('tidegate_calls_total{route="/features",status="200"} 2\n');
    expect(text).toContain('tidegate_calls_total{route="/features",status="304"} 1\n');
    expect(text).toContain('tidegate_calls_total{route="unmatched",status="404"} 1\n');
    expect(text.match(/tidegate_calls_total\{/g)).toHaveLength(3);
    expect(text).toContain('tidegate_answers_total{kind="remembered"} 2\n');
    expect(text).toContain('tidegate_answers_total{kind="stale"} 0\n');
  });

  it("read the near caches, the sources and the feeds anew each time", async () => {
    const usage = { counts: { hits: 4, misses: 3, stale: 2, failures: 1, evictions: 5 }, size: 6 };
    const failures = new Map([["user", 7]]);
    const listeners: ((key: string | undefined) => void)[] = [];
    const metrics = metricsOf(
      observed({
        caches: [{ connection: "features", holds: "sets", usage }],
        sources: ["global", "user"],
        failures,
        feeds: new Map([["features", { ...feed, subscribe: (listener) => listeners.push(listener) }]]),
      }),
      commandTimes(),
    );
    for (const listener of listeners) for (const key of ["a", "b", undefined]) listener(key);
    const text = await metrics.metrics();
    const of = 'connection="features",holds="sets"';
    for (const line of [
      `tidegate_cache_lookups_total{${of},outcome="hit"} 4`,
      `tidegate_cache_lookups_total{${of},outcome="miss"} 3`,
      `tidegate_cache_lookups_total{${of},outcome="stale"} 2`,
      `tidegate_cache_lookups_total{${of},outcome="failure"} 1`,
      `tidegate_cache_evictions_total{${of}} 5`,
      `tidegate_cache_keys{${of}} 6`,
      'tidegate_source_failures_total{source="global"} 0',
      'tidegate_source_failures_total{source="user"} 7',
      'tidegate_feed_live{connection="features"} 1',
      'tidegate_feed_lease_age_seconds{connection="features"} 0.5',
      'tidegate_feed_epochs_total{connection="features"} 3',
      'tidegate_feed_invalidations_total{connection="features"} 3',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    usage.counts.hits = 40;
    failures.set("user", 70);
    expect(await metrics.metrics()).toContain(`${of},outcome="hit"} 40\n`);
    expect(await metrics.metrics()).toContain('{source="user"} 70\n');
  });

  it("leave the age of a lease out that there never was", async () => {
    const never = { ...feed, isLive: () => false, syncedUntil: () => Number.NEGATIVE_INFINITY };
    const text = await textWith({ feeds: new Map([["features", never]]) });
    expect(text).toContain('tidegate_feed_live{connection="features"} 0\n');
    expect(text).not.toContain("tidegate_feed_lease_age_seconds{");
  });
});

describe("the sum over workers", () => {
  /** What a worker tells that has answered so many calls and took so long for a command; its lease is as old as it says. */
  async function worker(calls: number, leaseAge: number): Promise<Snapshot> {
    const times = commandTimes();
    times.observe({ connection: "features" }, 0.003);
    const registry = metricsOf(
      observed({
        calls: () => [{ route: "/features", status: 200, count: calls }],
        feeds: new Map([["features", { ...feed, syncedUntil: () => 10_000 - leaseAge * 1_000 }]]),
      }),
      times,
    );
    // As it arrives from another process.
    return JSON.parse(JSON.stringify(await snapshotOf(registry)));
  }
  const calls = (text: string) => Number(/tidegate_calls_total\{.*\} (\d+)/.exec(text)?.[1]);

  it("adds counts and histograms, and takes the oldest lease", async () => {
    const totals = new Totals<string>();
    const told = new Map([
      ["a", await worker(5, 0.2)],
      ["b", await worker(7, 0.9)],
    ]);
    for (const [name, snapshot] of told) totals.told(name, snapshot);
    const text = await textOf(totals.sum(told));
    expect(calls(text)).toBe(12);
    expect(text).toContain("tidegate_workers 2\n");
    expect(text).toContain('tidegate_feed_lease_age_seconds{connection="features"} 0.9\n');
    expect(text).toContain('tidegate_redis_command_seconds_count{connection="features"} 2\n');
    expect(text).toContain('tidegate_redis_command_seconds_bucket{le="0.005",connection="features"} 2\n');
    expect(text).toContain('tidegate_redis_command_seconds_bucket{le="0.0025",connection="features"} 0\n');
  });

  it("keeps what a worker counted that has ended or does not answer, and none of its gauges", async () => {
    const totals = new Totals<string>();
    const [a, b] = [await worker(5, 0.2), await worker(7, 0.9)];
    totals.told("a", a);
    totals.told("b", b);
    const silent = await textOf(totals.sum(new Map([["a", a]])));
    expect([calls(silent), /tidegate_workers (\d)/.exec(silent)?.[1]]).toEqual([12, "1"]);
    expect(silent).toContain('tidegate_feed_lease_age_seconds{connection="features"} 0.2\n');
    totals.ended("b");
    totals.told("a", await worker(6, 0.2));
    const c = await worker(1, 0.2);
    totals.told("c", c);
    expect(calls(await textOf(totals.sum(new Map([["c", c]]))))).toBe(14);
    totals.ended("a");
    totals.ended("unheard of");
    expect(
      calls(
        await textOf(
          totals.sum(
            new Map([
              ["c", c],
              ["b", b],
            ]),
          ),
        ),
      ),
    ).toBe(14);
    expect(await textOf(totals.sum(new Map()))).toContain(
      'tidegate_redis_command_seconds_count{connection="features"} 3\n',
    );
  });
});

describe("the figures of a process", () => {
  it("keep what was counted for a configuration that is served no more, and add the next one's", async () => {
    const figures = new Figures();
    const registryOf = (count: number) =>
      metricsOf(observed({ calls: () => [{ route: "/features", status: 200, count }] }), commandTimes());
    const calls = async () => Number(/^tidegate_calls_total\{.*\} (\d+)$/m.exec(await figures.scrape())?.[1]);
    const before = figures.of(registryOf(5));
    expect(await calls()).toBe(5);
    figures.of(registryOf(2));
    expect(await calls()).toBe(7);
    await before[Symbol.asyncDispose]();
    expect(await calls()).toBe(7);
    expect(await figures.scrape()).toMatch(/^process_cpu_seconds_total /m);
  });

  it("count nothing twice where a configuration ends while they are told", async () => {
    const registryOf = (count: number) =>
      metricsOf(observed({ calls: () => [{ route: "/features", status: 200, count }] }), commandTimes());
    for (let turns = 0; turns < 40; turns++) {
      const figures = new Figures();
      const before = figures.of(registryOf(100));
      figures.of(registryOf(1));
      const scraped = figures.scrape();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await before[Symbol.asyncDispose]();
      await scraped;
      expect(await figures.scrape()).toMatch(/^tidegate_calls_total\{.*\} 101$/m);
    }
  });

  it("tell what waits for the event log, and for how long", async () => {
    const backlogs = new Map([
      ["features", { entries: 3, oldest: 4_000 }],
      ["users", { entries: 0, oldest: undefined }],
    ]);
    const text = await textWith({ backlogs: () => backlogs, setAside: () => 2 });
    expect(text).toContain('tidegate_outbox_entries{connection="features"} 3');
    expect(text).toContain('tidegate_outbox_oldest_seconds{connection="features"} 6');
    expect(text).toContain('tidegate_outbox_oldest_seconds{connection="users"} 0');
    expect(text).toContain("tidegate_outbox_set_aside_total 2");
  });
});
