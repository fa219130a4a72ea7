import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "./support/redis.ts";
import { basic, redisRules, startService, type TestService } from "./support/service.ts";
import { TcpProxy } from "./support/tcp-proxy.ts";
import { until } from "./support/until.ts";

/** Of the best of five calls, because a busy machine adds to any of them. */
const answersWithinMs = 500;
/** The promised 2 s, and the same. */
const recoversWithinMs = 2_000 + 3_000;

describe("while Redis is away", () => {
  let redis: RedisServer;
  let users: TcpProxy;
  let features: TcpProxy;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    await redis.client.set("token:1234", "1");
    await redis.client.sadd("global_features", "feature_1");
    users = await TcpProxy.to(redis.port);
    features = await TcpProxy.to(redis.port);
    service = await startService(redisRules(`redis://127.0.0.1:${users.port}`, `redis://127.0.0.1:${features.port}`));
    await service.readyWithin(10_000);
  });
  beforeEach(async () => {
    users.heal();
    features.heal();
    await until(async () => (await ask()).status === 200, "the service answers again");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await users[Symbol.asyncDispose]();
    await features[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  async function ask(headers: Record<string, string> = basic("1234")) {
    const start = performance.now();
    const response = await service.get("/features", headers);
    return { status: response.status, ms: performance.now() - start, response, body: await response.text() };
  }

  async function quickest(headers?: Record<string, string>): Promise<number> {
    const times: number[] = [];
    for (let call = 0; call < 5; call++) times.push((await ask(headers)).ms);
    return Math.min(...times);
  }

  it.each([
    ["is gone", "cut"],
    ["hangs", "hold"],
  ] as const)("answers 503 in time when the server of features %s, and 200 soon after it is back", async (_, fault) => {
    features[fault]();
    await until(async () => (await ask()).status === 503, "calls fail");
    const { status, response, body } = await ask();
    const ms = await quickest();
    expect([status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(body).toContain('"code":"source-unavailable"');
    expect(ms).toBeLessThan(answersWithinMs);
    expect((await service.get("/health/ready")).status).toBe(503);
    expect((await service.get("/health/live")).status).toBe(200);
    features.heal();
    const healed = performance.now();
    await until(async () => (await ask()).status === 200, "calls succeed again");
    expect(performance.now() - healed).toBeLessThan(recoversWithinMs);
    expect((await service.get("/health/ready")).status).toBe(200);
  });

  it.each(["cut", "hold"] as const)(
    "answers 503 and never 401 when the server of users is away (%s), and still answers those without a token",
    async (fault) => {
      users[fault]();
      await until(async () => (await ask()).status !== 200, "calls with a token fail");
      for (const token of ["1234", "unknown"]) {
        const { status } = await ask(basic(token));
        expect([token, status]).toEqual([token, 503]);
        expect(await quickest(basic(token))).toBeLessThan(answersWithinMs);
      }
      expect(await ask({})).toMatchObject({ status: 200, body: '{"active_features":["feature_1"]}' });
      users.heal();
      const healed = performance.now();
      await until(async () => (await ask()).status === 200, "calls with a token succeed again");
      expect(performance.now() - healed).toBeLessThan(recoversWithinMs);
    },
  );

  it("answers in time when both servers hang", async () => {
    users.hold();
    features.hold();
    expect((await ask()).status).toBe(503);
    expect(await quickest()).toBeLessThan(answersWithinMs);
  });

  it("starts without it, is not ready, and serves once it is there", async () => {
    features.cut();
    await using late = await startService(
      redisRules(`redis://127.0.0.1:${users.port}`, `redis://127.0.0.1:${features.port}`),
    );
    expect((await late.get("/features")).status).toBe(503);
    expect((await late.get("/health/ready")).status).toBe(503);
    features.heal();
    expect(await late.readyWithin(20_000)).toBe(true);
    expect((await late.get("/features")).status).toBe(200);
  });

  it("leaves out a source that may be left out, and says that the answer is incomplete", async () => {
    const yaml = redisRules(`redis://127.0.0.1:${users.port}`, `redis://127.0.0.1:${features.port}`);
    const partner = `
  - { name: everyone, kind: static, features: { always: true } }
  - { name: partner, kind: set, connection: partner, key: "partner:features", onFailure: skip }
`;
    await using away = await TcpProxy.to(redis.port);
    const connections = `connections:\n  partner: { kind: redis, url: "redis://127.0.0.1:${away.port}" }`;
    await using service = await startService(yaml.replace("connections:", connections) + partner);
    await service.readyWithin(10_000);
    expect((await service.get("/features")).headers.has("cache-status")).toBe(false);
    away.cut();
    await until(async () => (await service.get("/features")).headers.has("cache-status"), "the partner is left out");
    const response = await service.get("/features");
    expect(response.headers.get("cache-status")).toBe('tidegate; fwd=miss; detail="incomplete: partner"');
    expect([response.status, await response.text()]).toEqual([200, '{"active_features":["always","feature_1"]}']);
  });
});
