import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { freshnessBoundMs } from "../../src/domain/evaluation/cached-read.ts";
import type { InvalidationFeed } from "../../src/domain/evaluation/invalidation-feed.ts";
import { CachedFeatureSets } from "../../src/infrastructure/cache/cached-feature-sets.ts";
import { createLog } from "../../src/infrastructure/logger.ts";
import { connectRedis } from "../../src/infrastructure/redis/redis-connection.ts";
import { RedisInvalidationFeed } from "../../src/infrastructure/redis/redis-invalidation-feed.ts";
import { startRedis } from "./redis.ts";
import { TcpProxy } from "./tcp-proxy.ts";

type Write = { readonly version: number; readonly acknowledgedAt: number };

/** Additional time for a run on a busy machine. */
const maxExtraMs = 60_000;

/** The tests of freshness under faults. Together they take some seconds more than `durationMs`. */
export function chaosRuns(durationMs: number): void {
  describe("under cuts, silences, killed connections and a blocked process", () => {
    it("returns no fresh response older than 1 s, and none older than its stated age", {
      timeout: durationMs + 2 * maxExtraMs,
    }, async () => {
      const { faults, reads, fresh, writes, violations, worstFreshMs } = await runChaos({ durationMs, lease: true });
      console.log({ faults, reads, fresh, writes, worstFreshMs });
      expect(violations).toEqual([]);
      expect(fresh).toBeGreaterThan(1_000);
      expect(writes).toBeGreaterThan(100);
    });

    it("detects such responses: without the lease there are some", { timeout: 2 * maxExtraMs }, async () => {
      const { violations } = await runChaos({ durationMs: 2_000, lease: false });
      expect(violations.length).toBeGreaterThan(0);
    });
  });
}

/** The result of a run. A violation names the key, the value that was read, and the acknowledged one. */
type Chaos = {
  readonly faults: number;
  readonly reads: number;
  readonly fresh: number;
  readonly writes: number;
  readonly violations: readonly string[];
  readonly worstFreshMs: number;
};

const keys = ["active_features", "global_features", "features:user:1", "location:x"];
/** Tolerance for the delay of this process when it compares ages. */
const slackMs = 100;
const silent = createLog("silent");

/**
 * Writers put a rising version into each of four sets, directly. Three caches read them through proxies that are cut
 * and paused. Each read is compared with the history of acknowledged writes: a fresh response must have every write
 * that was acknowledged a freshness bound before its request, and any response every write before its stated instant.
 * Without `lease`, a feed counts as live as long as its connection is open, as in caches without a lease. The faults
 * are then silences of that connection, each longer than the bound and hardly longer than their detection takes.
 *
 * Runs for `durationMs`, and until it has seen a thousand fresh responses and a hundred writes, or a violation without
 * `lease`.
 */
async function runChaos({ durationMs, lease }: { durationMs: number; lease: boolean }): Promise<Chaos> {
  await using redis = await startRedis();
  const history = new Map<string, Write[]>(keys.map((key) => [key, []]));
  const violations: string[] = [];
  let [reads, fresh, faults, worstFreshMs, over] = [0, 0, 0, 0, false];

  const caches = await Promise.all(
    [1, 2, 3].map(async () => {
      const [data, invalidations] = await Promise.all([TcpProxy.to(redis.port), TcpProxy.to(redis.port)]);
      const feed = new RedisInvalidationFeed("chaos", `redis://127.0.0.1:${invalidations.port}`, keys, silent);
      const connection = connectRedis("chaos", `redis://127.0.0.1:${data.port}`, silent);
      const limits = { capacity: 100, expiryMs: 60_000, maxStaleMs: 60_000 };
      const sets = new CachedFeatureSets(
        connection.sets,
        { prefixes: keys, fixed: new Set(keys.slice(0, 1)) },
        lease ? feed : trusting(feed),
        limits,
        Date.now,
      );
      return { data, told: invalidations, feed, connection, sets };
    }),
  );

  async function write(): Promise<void> {
    for (let version = 1; !over; version++) {
      const key = pick(keys);
      await redis.client.multi().del(key).sadd(key, `${version}`).exec();
      history.get(key)?.push({ version, acknowledgedAt: Date.now() });
      await setTimeout(Math.random() * 8);
    }
  }

  async function read(sets: CachedFeatureSets): Promise<void> {
    while (!over) {
      const key = pick(keys);
      const askedAt = Date.now();
      try {
        const cached = await sets.read(key, 10);
        const now = Date.now();
        const version = Number(cached.value.features[0] ?? 0);
        const asOf = cached.verifiedAt(now);
        reads += 1;
        const isFresh = lease ? now - asOf <= freshnessBoundMs : cached.isCurrent(now);
        if (isFresh) {
          fresh += 1;
          const missed = history.get(key)?.find((each) => each.version > version && each.acknowledgedAt < askedAt);
          if (missed) worstFreshMs = Math.max(worstFreshMs, askedAt - missed.acknowledgedAt);
          expectAll(key, version, askedAt - freshnessBoundMs - slackMs, "a second ago");
        }
        if (lease) expectAll(key, version, asOf - 1, "by the instant that it says");
      } catch {
        // Nothing is cached and Redis is down: no response is no wrong response.
      }
      await setTimeout(Math.random() * 3);
    }
  }

  function expectAll(key: string, version: number, before: number, when: string): void {
    const missed = history.get(key)?.findLast(({ acknowledgedAt }) => acknowledgedAt < before);
    if (missed && missed.version > version) {
      violations.push(`${key}: read ${version}, but ${missed.version} was acknowledged ${when}`);
    }
  }

  async function fault(): Promise<void> {
    const { data, told: invalidations } = pick(caches);
    if (!lease) {
      invalidations.hold();
      await setTimeout(2_000);
      return invalidations.heal();
    }
    const proxies = pick([[data], [invalidations], [data, invalidations]]);
    const heal = () => {
      for (const proxy of proxies) proxy.heal();
    };
    switch (pick(["cut", "hold", "kill", "block"])) {
      case "cut":
        for (const proxy of proxies) proxy.cut();
        await setTimeout(Math.random() * 700);
        return heal();
      case "hold":
        for (const proxy of proxies) proxy.hold();
        await setTimeout(300 + Math.random() * 2_000);
        return heal();
      case "kill":
        await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
        return;
      default: {
        const until = performance.now() + 400;
        while (performance.now() < until);
      }
    }
  }

  const countWrites = () => [...history.values()].reduce((sum, each) => sum + each.length, 0);
  const isEnough = () => (lease ? fresh > 1_000 && countWrites() > 100 : violations.length > 0);
  const running = [write(), ...caches.flatMap(({ sets }) => [read(sets), read(sets)])];
  const end = performance.now() + durationMs;
  while (performance.now() < end || (!isEnough() && performance.now() < end + maxExtraMs)) {
    await fault();
    faults += 1;
    await setTimeout(Math.random() * 300);
  }
  over = true;
  for (const { data, told: invalidations } of caches) for (const proxy of [data, invalidations]) proxy.heal();
  await Promise.all(running);
  for (const { data, told: invalidations, feed, connection } of caches) {
    for (const part of [feed, connection, data, invalidations]) await part[Symbol.asyncDispose]();
  }
  return { faults, reads, fresh, writes: countWrites(), violations, worstFreshMs };
}

/** The same feed, live as long as its connection is open. */
const trusting = (feed: RedisInvalidationFeed): InvalidationFeed => ({
  get epoch() {
    return feed.epoch;
  },
  get generation() {
    return feed.generation;
  },
  isLive: () => feed.syncedUntil(feed.epoch) > Number.NEGATIVE_INFINITY,
  syncedUntil: (epoch) => feed.syncedUntil(epoch),
  notify: (key) => feed.notify(key),
  subscribe: (listener) => feed.subscribe(listener),
});

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
