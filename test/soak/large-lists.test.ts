import { expect, it } from "vitest";
import { StoreDataInvalid } from "../../src/domain/errors.ts";
import { emptiesManyLists } from "../support/many-lists.ts";
import { redisRulesAt, sqliteRules, startOperator } from "../support/operator.ts";
import { emptied, startRedis } from "../support/redis.ts";
import { connectPatiently, redisStore } from "../support/stores.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/** A service tracks 100,000 lists, as this test does with `OUTBOX_LISTS=105000`. */
const lists = Number(process.env["OUTBOX_LISTS"] ?? 30_000);

it("an outbox in Redis is emptied of entries in more lists than it tracks", { timeout: 300_000 }, async () => {
  await using store = await redisStore();
  await emptied(store.server.client);
  await emptiesManyLists(store, { lists, maxTracked: lists - 5_000 });
});

it("a set of a million members is rejected without reading it all", async () => {
  await using redis = await startRedis();
  await redis.client.eval(
    "for i = 1, 1000 do local m = {} for j = 1, 1000 do m[j] = i * 1000 + j end redis.call('SADD', KEYS[1], unpack(m)) end",
    1,
    "million",
  );
  await using proxy = await TcpProxy.to(redis.port);
  await using connection = await connectPatiently(`redis://127.0.0.1:${proxy.port}`);
  await expect(connection.sets.read("million", 10_000)).rejects.toBeInstanceOf(StoreDataInvalid);
  expect(proxy.bytesAnswered).toBeLessThan(1_000_000);
});

it.each(["sqlite", "redis"])("1,000 changes of 10,000 features are applied in one request over %s", async (kind) => {
  await using redis = kind === "redis" ? await startRedis() : undefined;
  await using operator = await startOperator(redis ? redisRulesAt(redis.url) : sqliteRules);
  const changes = Array.from({ length: 1_000 }, (_, index) => ({
    source: "user",
    context: { userId: `many-${index}` },
    add: Array.from({ length: 10 }, (_, feature) => `${"x".repeat(190)}${feature}`),
  }));
  const { status, body } = await operator.post("/changes", { changes });
  expect(status).toBe(200);
  expect(body.results.filter((result: { status: number }) => result.status === 200)).toHaveLength(1_000);
});
