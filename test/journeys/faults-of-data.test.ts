import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshnessBoundMs } from "../../src/domain/evaluation/cached-read.ts";
import { markerKey } from "../../src/infrastructure/redis/empty-store-guard.ts";
import { type Answer, Calls } from "../support/calls.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { basic, redisRules, settled, startService, type TestService } from "../support/service.ts";
import { until } from "../support/until.ts";

/** test/adapters/http/bad-input.test.ts checks that a set or a token of another type keeps the cached value. */
describe("external changes of data under load, with all connections up", () => {
  let redis: RedisServer;
  let service: TestService;
  let calls: Calls;
  beforeEach(async () => {
    redis = await startRedis();
    await redis.client
      .multi()
      .set("token:1234", "1")
      .sadd("global_features", "feature_1")
      .sadd("active_features", "feature_3", "feature_4")
      .sadd("features:user:1", "feature_3")
      .exec();
    service = await startService(redisRules(redis.url, redis.url));
    await settled(redis.client, service);
    calls = new Calls(service, basic("1234"));
    await calls.underWay();
  });
  afterEach(async () => {
    for (const each of [calls, service, redis]) await each[Symbol.asyncDispose]();
  });

  const has = (answer: Answer | undefined, features: readonly string[]) =>
    answer?.status === 200 && answer.features.join() === features.join();
  const isAnswered = (...features: readonly string[]) => has(calls.latest, features) && calls.latest?.mark === null;

  /**
   * Waits for the response that follows from a change at `at`; after the freshness bound no other is served as fresh.
   */
  async function expectWithinTheBound(at: number, ...features: readonly string[]): Promise<void> {
    await until(() => isAnswered(...features), "the change is acted on");
    await until(() => (calls.latest?.askedAt ?? 0) > at + freshnessBoundMs, "the bound is over");
    expect(calls.unmarkedTooLate(at).filter((answer) => !has(answer, features))).toEqual([]);
    expect(calls.failed).toEqual([]);
  }

  it("a flush of another database changes and marks no response", async () => {
    const other = redis.client.duplicate({ db: 5 });
    await other.set("token:other", "2");
    await other.flushdb();
    other.disconnect();
    await settled(redis.client, service);
    expect(calls.inTime(calls.marked)).toEqual([]);
    expect(calls.answers.filter((answer) => !has(answer, ["feature_1", "feature_3"]))).toEqual([]);
  });

  it("a set renamed over another invalidates both keys", async () => {
    await redis.client.sadd("staged", "feature_9");
    await redis.client.rename("staged", "global_features");
    await expectWithinTheBound(Date.now(), "feature_3", "feature_9");
    await redis.client.rename("features:user:1", "features:user:2");
    await expectWithinTheBound(Date.now(), "feature_9");
  });

  it("a user's set and a token are gone after their expiry", async () => {
    await redis.client.pexpire("features:user:1", 300);
    await expectWithinTheBound(Date.now() + 300, "feature_1");
    await redis.client.pexpire("token:1234", 300);
    await expectRefusedFrom(Date.now() + 300);
  });

  it("a revoked token is rejected", async () => {
    await redis.client.del("token:1234");
    await expectRefusedFrom(Date.now());
  });

  async function expectRefusedFrom(at: number): Promise<void> {
    await until(() => calls.latest?.status === 401, "the token is unknown");
    await until(() => (calls.latest?.askedAt ?? 0) > at + freshnessBoundMs, "the bound is over");
    const others = calls.answers.filter(({ askedAt, status }) => askedAt > at + freshnessBoundMs && status !== 401);
    expect(calls.inTime(others)).toEqual([]);
    expect(others.filter(({ status, mark }) => status !== 503 && mark === null)).toEqual([]);
    expect(calls.failed.filter(({ status }) => status !== 401 && status !== 503)).toEqual([]);
  }

  it("a set that Redis evicts is gone", async () => {
    await redis.client.expire("features:user:1", 1_000);
    await redis.client.config("SET", "maxmemory-policy", "volatile-lru");
    await redis.client.config("SET", "maxmemory", "1");
    await until(async () => (await redis.client.exists("features:user:1")) === 0, "the set is evicted");
    await expectWithinTheBound(Date.now(), "feature_1");
  });

  it("a store that Redis evicts completely is an outage until it is refilled", async () => {
    await redis.client.config("SET", "maxmemory-policy", "allkeys-lru");
    await redis.client.config("SET", "maxmemory", "1");
    await until(async () => (await redis.client.exists(markerKey)) === 0, "everything is evicted");
    const evictedAt = Date.now();
    await until(() => calls.marked.length >= 20, "answers are marked");
    expect(calls.unmarkedTooLate(evictedAt)).toEqual([]);
    expect(calls.answers.filter((answer) => !has(answer, ["feature_1", "feature_3"]))).toEqual([]);
    await redis.client.config("SET", "maxmemory", "0");
    await redis.client.multi().set("token:1234", "1").sadd("global_features", "feature_9").exec();
    await until(() => isAnswered("feature_9"), "the store is accepted");
    expect(calls.failed).toEqual([]);
  });

  it("swapped databases take effect when the cached keys expire, because Redis sends no invalidation", async () => {
    const brief = { GLOBAL_CACHE_EXPIRY: "1" };
    await using service = await startService(redisRules(redis.url, redis.url), brief);
    await settled(redis.client, service);
    await using calls = new Calls(service, basic("1234"));
    await calls.underWay();
    const other = redis.client.duplicate({ db: 5 });
    await other.multi().set("token:1234", "1").sadd("global_features", "feature_9").exec();
    other.disconnect();
    await redis.client.call("SWAPDB", "0", "5");
    await until(() => has(calls.latest, ["feature_9"]), "the other database is served");
    expect(calls.failed).toEqual([]);
  });
});
