import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { legacyRedisLines } from "../../../src/infrastructure/redis/legacy-redis-lines.ts";
import { connectRedis } from "../../../src/infrastructure/redis/redis-connection.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { isOnPath, startRedisProcess } from "../../support/redis-process.ts";
import { basic, redisRules, startService, type TestService } from "../../support/service.ts";
import { changeOf } from "../../support/stores.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

describe("a Redis that rejects the handshake", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    await redis.client.sadd("global_features", "of_database_0");
    await redis.client.set("token:1234", "1");
    await redis.client.acl("SETUSER", "unselecting", "on", ">secret", "~*", "&*", "+@all", "-select");
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const urlOf = (user: string, database: string) => `${redis.url.replace("redis://", `redis://${user}`)}${database}`;

  it.each([
    ["a database that does not exist", "", "/16", "database 16 (ERR DB index is out of range); correct the URL"],
    ["a database that the user may not select", "unselecting:secret@", "/1", "database 1 (NOPERM"],
    ["a wrong password", "nobody:wrong@", "", "the user name or password (WRONGPASS"],
  ])("fails every connection: %s", async (_, user, database, fault) => {
    const logged: string[] = [];
    const log = createLog("warn", { write: (line) => void logged.push(JSON.parse(line).cause) });
    const url = urlOf(user, database);
    await using connection = connectRedis("users", url, log);
    await using feed = connection.invalidations([""]);
    await using outbox = connection.outbox();
    await expect(connection.connected()).rejects.toThrow(
      `connection "users" cannot use Redis: the server rejects ${fault}`,
    );
    const imported = async () => {
      for await (const { lines } of legacyRedisLines(url, url)) expect(lines).toEqual([{ tidegate: 1 }]);
    };
    await expect(imported()).rejects.toThrow(fault);
    await until(() => logged.length > 0, "the rejection is logged");
    for (let retry = 0; retry < 2; retry++) {
      const tried = [
        connection.check(),
        connection.sets.read("global_features", 10),
        connection.changes.apply(changeOf("global_features", { add: ["written"] })),
        connection.lease("records").hold(),
        outbox.remove([{ handle: { key: "tidegate:outbox:x" }, records: [], text: "" }]),
      ];
      for (const { status } of await Promise.allSettled(tried)) expect(status).toBe("rejected");
      expect(feed.isLive(Date.now())).toBe(false);
      await expect(connection.connected()).rejects.toThrow("cannot use Redis");
    }
    expect(await redis.client.smembers("global_features")).toEqual(["of_database_0"]);
    // Once for the commands and once for each feed, not for each retry.
    expect(logged.length).toBeLessThanOrEqual(3);
    for (const cause of logged) expect(cause).toContain(fault);
  });

  it("accepts a password that the server does not require, in commands and in the invalidation feed", async () => {
    await using connection = connectRedis("users", urlOf(":unneeded@", "/1"), createLog("silent"));
    await using feed = connection.invalidations([""]);
    await connection.connected();
    await until(() => feed.isLive(Date.now()), "the feed is live");
  });

  it("rejects reads with the state of the connection", async () => {
    await using connection = connectRedis("users", "redis://127.0.0.1:1", createLog("silent"));
    await expect(connection.connected()).rejects.toThrow("ECONNREFUSED");
    await expect(connection.sets.read("global_features", 10)).rejects.toThrow(/^not connected to Redis$/);
  });

  it("is not ready at the start, and returns 503", async () => {
    await using service = await startService(redisRules(urlOf("", "/16"), urlOf("", "/16")));
    expect(await service.readyWithin(500)).toBe(false);
    expect((await service.get("/features", basic("1234"))).status).toBe(503);
  });

  it.skipIf(!isOnPath())("is an outage when the server is restarted with fewer databases", async () => {
    const fewer = await startRedisProcess("--databases", "2");
    await using proxy = await TcpProxy.to(redis.port);
    const url = `redis://127.0.0.1:${proxy.port}/3`;
    await redis.client
      .multi()
      .select(3)
      .sadd("global_features", "of_database_3")
      .set("token:1234", "1")
      .select(0)
      .exec();
    await using service = await startService(redisRules(url, url));
    const body = '{"active_features":["of_database_3"]}';
    await until(async () => (await ask(service)).body === body, "it answers");
    proxy.leadTo(fewer.port);
    await until(async () => (await ask(service)).mark !== null, "the answer is marked");
    expect(await ask(service)).toEqual({ status: 200, body, mark: expect.stringContaining('detail="stale"') });
    expect((await service.get("/features", basic("never-asked"))).status).toBe(503);
    proxy.leadTo(redis.port);
    await until(async () => (await ask(service)).mark === null, "the answer is fresh again");
    expect(await ask(service)).toMatchObject({ status: 200, body });
    await fewer.stop();
  });

  async function ask(service: TestService) {
    const response = await service.get("/features", basic("1234"));
    return { status: response.status, body: await response.text(), mark: response.headers.get("cache-status") };
  }
});
