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

/** How much longer a run may take until it has seen enough, on a busy machine. */
const longestExtraMs = 60_000;

/** The tests of freshness under faults, which take some seconds more than `durationMs` together. */
export function chaosRuns(durationMs: number): void {
  describe("under cuts, silences, killed connections and a blocked process", () => {
    it("gives no answer as fresh that is older than a second, and none older than it says", {
      timeout: durationMs + 2 * longestExtraMs,
    }, async () => {
      const { faults, reads, fresh, writes, violations, worstFreshMs } = await runChaos({ durationMs, lease: true });
      console.log({ faults, reads, fresh, writes, worstFreshMs });
      expect(violations).toEqual([]);
      expect(fresh).toBeGreaterThan(1_000);
      expect(writes).toBeGreaterThan(100);
    });

    it("would find such answers: without the lease there are some", { timeout: 2 * longestExtraMs }, async () => {
      const { violations } = await runChaos({ durationMs: 2_000, lease: false });
      expect(violations.length).toBeGreaterThan(0);
    });
  });
}

/** What a run saw. A violation names the key, what was read, and what had been acknowledged by then. */
type Chaos = {
  readonly faults: number;
  readonly reads: number;
  readonly fresh: number;
  readonly writes: number;
  readonly violations: readonly string[];
  readonly worstFreshMs: number;
};

const keys = ["active_features", "global_features", "features:user:1", "location:x"];
/** How much later than the bound an answer may seem to be, because this process was busy. */
const slackMs = 100;
const silent = createLog("silent");

/**
 * Writers put a rising version into each of four sets, directly; three caches read them through proxies that are cut
 * and held. Each read is held against the history of acknowledged writes: a fresh answer must have every write that was
 * acknowledged a freshness bound before it was asked for, and any answer every write before the instant it says.
 * Without `lease`, a feed counts as live for as long as its connection stands, as caches do that trust their connection; the
 * faults are then silences of that connection, each longer than the bound and hardly longer than it takes to notice one.
 *
 * It goes on for `durationMs`, and until it has seen enough: a thousand fresh answers and a hundred writes, or a violation without `lease`.
 */
async function runChaos({ durationMs, lease }: { durationMs: number; lease: boolean }): Promise<Chaos> {
  await using redis = await startRedis();
  const history = new Map<string, Write[]>(keys.map((key) => [key, []]));
  const violations: string[] = [];
  let [reads, fresh, faults, worstFreshMs, over] = [0, 0, 0, 0, false];

  const caches = await Promise.all(
    [1, 2, 3].map(async () => {
      const [data, told] = await Promise.all([TcpProxy.to(redis.port), TcpProxy.to(redis.port)]);
      const feed = new RedisInvalidationFeed("chaos", `redis://127.0.0.1:${told.port}`, keys, silent);
      const connection = connectRedis("chaos", `redis://127.0.0.1:${data.port}`, silent);
      const limits = { capacity: 100, expiryMs: 60_000, maxStaleMs: 60_000 };
      const sets = new CachedFeatureSets(
        connection.sets,
        { prefixes: keys, fixed: new Set(keys.slice(0, 1)) },
        lease ? feed : trusting(feed),
        limits,
        Date.now,
      );
      return { data, told, feed, connection, sets };
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
        const held = await sets.read(key, 10);
        const now = Date.now();
        const version = Number(held.value.features[0] ?? 0);
        const asOf = held.verifiedAt(now);
        reads += 1;
        const isFresh = lease ? now - asOf <= freshnessBoundMs : held.isCurrent(now);
        if (isFresh) {
          fresh += 1;
          const missed = history.get(key)?.find((each) => each.version > version && each.acknowledgedAt < askedAt);
          if (missed) worstFreshMs = Math.max(worstFreshMs, askedAt - missed.acknowledgedAt);
          expectAll(key, version, askedAt - freshnessBoundMs - slackMs, "a second ago");
        }
        if (lease) expectAll(key, version, asOf - 1, "by the instant that it says");
      } catch {
        // Nothing is remembered and Redis is away: no answer is no wrong answer.
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
    const { data, told } = pick(caches);
    if (!lease) {
      told.hold();
      await setTimeout(2_000);
      return told.heal();
    }
    const proxies = pick([[data], [told], [data, told]]);
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
  while (performance.now() < end || (!isEnough() && performance.now() < end + longestExtraMs)) {
    await fault();
    faults += 1;
    await setTimeout(Math.random() * 300);
  }
  over = true;
  for (const { data, told } of caches) for (const proxy of [data, told]) proxy.heal();
  await Promise.all(running);
  for (const { data, told, feed, connection } of caches) {
    for (const part of [feed, connection, data, told]) await part[Symbol.asyncDispose]();
  }
  return { faults, reads, fresh, writes: countWrites(), violations, worstFreshMs };
}

/** The same feed, taken for live for as long as its connection stands. */
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
