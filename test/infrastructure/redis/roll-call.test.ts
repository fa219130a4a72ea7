import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { RedisInvalidationFeed } from "../../../src/infrastructure/redis/redis-invalidation-feed.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

describe("a roll call on a Redis server", () => {
  const stack = new AsyncDisposableStack();
  let redis: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    redis = stack.use(await startRedis());
    client = new Redis(redis.url);
    stack.defer(() => client.disconnect());
  });
  afterAll(() => stack.disposeAsync());

  const feedOf = (host: string) => {
    const process = { host, instance: 1, pid: 2, version: "1.0.0", startedAt: 3 };
    const publish = (channel: string, message: string) => client.publish(channel, message);
    const log = createLog("silent");
    return stack.use(new RedisInvalidationFeed("features", redis.url, ["x"], log, { publish, process }));
  };

  it("names the processes of all connections, and counts those of earlier versions", async () => {
    const [asking] = [feedOf("a"), feedOf("b"), feedOf("b")];
    const hosts = async () => (await asking.rollCall()).processes.map(({ host }) => host).sort();
    await until(async () => (await hosts()).length === 3, "all feeds are connected");
    // An earlier version repeats the number, without a name.
    const earlier = client.duplicate();
    stack.defer(() => earlier.disconnect());
    earlier.on("message", (_, message) => {
      const [, feed, number = ""] = /^tidegate:confirm:([\w-]+):(\d+)$/.exec(message) ?? [];
      void client.publish(`tidegate:confirmed:${feed}`, number);
    });
    await earlier.subscribe("__redis__:invalidate");
    const { missing } = await asking.rollCall();
    await until(async () => (await asking.rollCall()).missing === 0, `all are counted, not ${missing} missing`);
    const { processes, unnamed } = await asking.rollCall();
    expect(processes.map(({ host, version }) => [host, version]).sort()).toEqual([
      ["a", "1.0.0"],
      ["b", "1.0.0"],
      ["b", "1.0.0"],
    ]);
    expect(unnamed).toBe(1);
    // A kill is confirmed as before.
    expect(await asking.confirm()).toMatchObject({ confirmed: 4, missing: 0 });
  });
});
