import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../src/infrastructure/logger.ts";
import { RedisInvalidationFeed } from "../../src/infrastructure/redis/redis-invalidation-feed.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { sqliteInvalidationFeed } from "../../src/infrastructure/sqlite/sqlite-invalidation-feed.ts";
import { invalidationFeedContract } from "../contracts/invalidation-feed.contract.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { aChange } from "../support/stores.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

describe("over Redis", () => {
  let redis: RedisServer;
  const feeds: RedisInvalidationFeed[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const feed of feeds) await feed[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  async function openFeed(url = redis.url, prefixes = ["contract:", "location:", "location:x", "token:"]) {
    const feed = new RedisInvalidationFeed("tested", url, prefixes, createLog("silent"));
    feeds.push(feed);
    const invalidated: (string | undefined)[] = [];
    feed.subscribe((key) => invalidated.push(key));
    await until(() => feed.isLive(Date.now()), "the feed is live");
    return { feed, invalidated };
  }

  /** Waits until a feed is live by tracking. */
  const tracking = (feed: RedisInvalidationFeed) =>
    until(async () => {
      const { epoch } = feed;
      await setTimeout(600);
      return feed.isLive(Date.now()) && feed.epoch === epoch;
    }, "the feed is live, and no epoch ends");

  invalidationFeedContract(async () => ({
    feed: (await openFeed()).feed,
    change: async (key) => void (await redis.client.sadd(key, `${Math.random()}`)),
  }));

  it.each<[string, (client: RedisServer["client"]) => Promise<unknown>, string | undefined]>([
    ["SADD", (client) => client.sadd("location:a", "x"), "location:a"],
    ["SREM", (client) => client.srem("location:kept", "x"), "location:kept"],
    ["DEL", (client) => client.del("location:kept"), "location:kept"],
    ["RENAME", (client) => client.rename("location:kept", "elsewhere"), "location:kept"],
    ["SET over a set", (client) => client.set("location:kept", "text"), "location:kept"],
    ["a script", (client) => client.eval("redis.call('SADD', 'location:lua', 'x')", 0), "location:lua"],
    ["a transaction", (client) => client.multi().sadd("location:multi", "x").exec(), "location:multi"],
    ["a key that has a comma", (client) => client.sadd("location:a,b", "x"), "location:a,b"],
    ["an expiry", (client) => client.pexpire("location:kept", 1), "location:kept"],
    ["FLUSHDB", (client) => client.flushdb(), undefined],
    ["FLUSHALL", (client) => client.flushall(), undefined],
  ])("notifies of %s", async (_, write, expected) => {
    await redis.client.del("location:kept");
    await redis.client.sadd("location:kept", "x", "y");
    const { invalidated } = await openFeed();
    invalidated.length = 0;
    await write(redis.client);
    await until(() => invalidated.includes(expected), "it is notified");
  });

  it("does not notify of keys that nobody watches", async () => {
    const { invalidated } = await openFeed();
    await redis.client.sadd("other:key", "x");
    await redis.client.sadd("location:last", "x");
    await until(() => invalidated.includes("location:last"), "a later change is notified");
    expect(invalidated).not.toContain("other:key");
  });

  it.each(["cut", "hold"] as const)(
    "is not live after its connection is lost (%s), and starts an epoch on reconnection",
    async (fault) => {
      await using proxy = await TcpProxy.to(redis.port);
      const { feed } = await openFeed(`redis://127.0.0.1:${proxy.port}`);
      const { epoch } = feed;
      proxy[fault]();
      await until(() => !feed.isLive(Date.now()), "the feed is not live");
      expect(feed.syncedUntil(epoch)).toBeLessThanOrEqual(performance.now());
      await until(() => feed.syncedUntil(feed.epoch) === feed.syncedUntil(epoch), "syncedUntil stops");
      if (fault === "hold")
        await until(() => performance.now() - feed.syncedUntil(epoch) > 2_500, "the silence is noticed");
      proxy.heal();
      await until(() => feed.isLive(Date.now()) && feed.epoch > epoch, "another epoch has begun");
    },
  );

  it("keeps the epoch during a silence shorter than the time limit", async () => {
    await using proxy = await TcpProxy.to(redis.port);
    const { feed, invalidated } = await openFeed(`redis://127.0.0.1:${proxy.port}`);
    const { epoch } = feed;
    proxy.hold();
    await redis.client.sadd("location:meanwhile", `${Math.random()}`);
    expect(invalidated).not.toContain("location:meanwhile");
    proxy.heal();
    await until(() => invalidated.includes("location:meanwhile"), "the delayed change is notified");
    expect(feed.epoch).toBe(epoch);
  });

  it("notifies of all keys when an epoch starts after a loss", async () => {
    await using proxy = await TcpProxy.to(redis.port);
    const { feed, invalidated } = await openFeed(`redis://127.0.0.1:${proxy.port}`);
    proxy.cut();
    await until(() => !feed.isLive(Date.now()), "it is not live");
    invalidated.length = 0;
    proxy.heal();
    await until(() => feed.isLive(Date.now()), "it is live again");
    expect(invalidated).toEqual([undefined]);
  });

  it("tracks again as soon as a long script ends", async () => {
    await redis.client.config("SET", "busy-reply-threshold", "50");
    const { feed } = await openFeed();
    const script = redis.client.duplicate();
    const endless = expect(script.eval("while true do end", 0)).rejects.toThrow("killed");
    await until(() => !feed.isLive(Date.now()), "the feed is not live");
    await redis.client.script("KILL");
    await endless;
    script.disconnect();
    await tracking(feed);
  });

  it.each([
    ["has no room for its connection", "maxclients", "1"],
    ["asks for a password", "requirepass", "secret"],
  ])("tracks again as soon as Redis, which %s for a while, accepts it", async (_, option, value) => {
    await using server = await startRedis();
    await using proxy = await TcpProxy.to(server.port);
    const { feed } = await openFeed(`redis://127.0.0.1:${proxy.port}`);
    const { epoch } = feed;
    const [, before = ""] = (await server.client.config("GET", option)) as string[];
    await server.client.config("SET", option, value);
    const seen = proxy.bytesAnswered;
    proxy.cut();
    proxy.heal();
    await until(() => proxy.bytesAnswered > seen, "Redis has refused it");
    await server.client.config("SET", option, before);
    await tracking(feed);
    expect(feed.epoch).toBe(epoch + 1);
  });

  it("starts an epoch every 500 ms if Redis rejects tracking", async () => {
    await redis.client.acl("SETUSER", "untracked", "on", ">secret", "~*", "+@all", "-client|tracking");
    const { feed } = await openFeed(redis.url.replace("redis://", "redis://untracked:secret@"));
    const { epoch } = feed;
    await until(() => feed.epoch >= epoch + 2, "epochs end");
    expect(feed.isLive(Date.now())).toBe(true);
  });
});

describe("over SQLite", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tidegate-feed-")), "tidegate.db");
  const connection = openSqlite("features", file);
  const feeds: ReturnType<typeof sqliteInvalidationFeed>[] = [];
  afterAll(async () => {
    for (const feed of feeds) await feed[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
  });

  invalidationFeedContract(async () => {
    const feed = sqliteInvalidationFeed(file, () => false);
    feeds.push(feed);
    const change = async (key: string) => {
      await connection.changes.apply({ ...aChange(), key, personal: false, add: [`${Math.random()}`], remove: [] });
    };
    return { feed, change };
  });
});
