import { afterAll, beforeAll, expect, it } from "vitest";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { connectRedis } from "../../../src/infrastructure/redis/redis-connection.ts";
import { identityKey } from "../../../src/infrastructure/redis/redis-keys.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

let redis: RedisServer;
const opened = new AsyncDisposableStack();
beforeAll(async () => {
  redis = opened.use(await startRedis());
});
afterAll(() => opened.disposeAsync());

async function connect(url = redis.url) {
  const connection = opened.use(connectRedis("features", url, createLog("silent")));
  await connection.connected();
  return connection;
}
const asUser = (user: string) => redis.url.replace("redis://", `redis://${user}:secret@`);

it("a Redis database has no identity for a user without access to it", async () => {
  await redis.client.acl("SETUSER", "nobody", "on", ">secret", "~*", "+@all", "-set", "-get");
  expect(await (await connect(asUser("nobody"))).identity()).toBeUndefined();
});

it("a Redis database has one identity for all processes, including one that can only read", async () => {
  const [one, another] = await Promise.all([connect(), connect()]);
  const [identity, other] = await Promise.all([one.identity(), another.identity()]);
  expect(identity).toMatch(/^[0-9a-f-]{36}$/);
  expect(other).toBe(identity);
  await redis.client.acl("SETUSER", "reader", "on", ">secret", "~*", "+@all", "-set");
  expect(await (await connect(asUser("reader"))).identity()).toBe(identity);
});

it("a Redis database that lost its data gets its identity back from a process that cached it", async () => {
  const connection = await connect();
  const identity = await connection.identity();
  await redis.client.flushall();
  const isBack = async () => {
    await connection.identity();
    return (await redis.client.get(identityKey)) === identity;
  };
  await until(isBack, "the identity is written again");
});
