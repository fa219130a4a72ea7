import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { markerKey } from "../../src/infrastructure/redis/empty-store-guard.ts";
import { adminToken } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import {
  answerInTime,
  basic,
  bearer,
  redisRules,
  settled,
  startService,
  type TestService,
} from "../support/service.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { tidegate } from "../support/tidegate.ts";
import { until } from "../support/until.ts";

/** The best of five calls, because a busy machine delays single ones. */
const answersWithinMs = 500;
/** The promised 2 s, plus the delay of a busy machine. */
const recoversWithinMs = 2_000 + 3_000;

describe("a Redis outage", () => {
  let redis: RedisServer;
  let users: TcpProxy;
  let features: TcpProxy;
  let service: TestService;
  let cold = 0;
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
    await answerInTime(service, "/features", basic("1234"));
    await settled(redis.client, service);
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
    const body = await response.text();
    const { status } = response;
    return { status, body, response, mark: response.headers.get("cache-status"), ms: performance.now() - start };
  }

  /** A token of a new user, for whom nothing is cached. */
  async function coldToken(): Promise<string> {
    cold += 1;
    await redis.client.set(`token:cold-${cold}`, `cold-${cold}`);
    return `cold-${cold}`;
  }

  async function quickest(headers: () => Record<string, string> | Promise<Record<string, string>>): Promise<number> {
    const times: number[] = [];
    for (let call = 0; call < 5; call++) times.push((await ask(await headers())).ms);
    return Math.min(...times);
  }

  it.each([
    ["is gone", "cut"],
    ["hangs", "hold"],
  ] as const)(
    "serves cached responses when the features' server %s, marked as stale, and fresh ones soon after the recovery",
    async (_, fault) => {
      const { body } = await ask();
      features[fault]();
      const statuses = new Set<number>();
      await until(async () => {
        const answer = await ask();
        statuses.add(answer.status);
        expect(answer.body).toBe(body);
        return answer.mark !== null;
      }, "the answer is marked");
      const { mark, response } = await ask();
      expect(mark).toMatch(/^tidegate; hit; ttl=-\d+; detail="stale"$/);
      expect(Number(response.headers.get("age"))).toBeGreaterThan(0);
      expect(statuses).toEqual(new Set([200]));
      expect((await service.get("/health/ready")).status).toBe(200);
      features.heal();
      const healed = performance.now();
      await until(async () => (await ask()).mark === null, "the answer is fresh again");
      expect(performance.now() - healed).toBeLessThan(recoversWithinMs);
    },
  );

  it.each(["cut", "hold"] as const)(
    "returns 503 in time without a cached value (%s), and 200 soon after the recovery",
    async (fault) => {
      const token = await coldToken();
      expect((await answerInTime(service, "/features", basic(token))).status).toBe(200);
      const tokens: string[] = [];
      for (let call = 0; call < 6; call++) tokens.push(await coldToken());
      features[fault]();
      const next = () => basic(tokens.pop() ?? "");
      const { status, response, body } = await ask(next());
      expect([status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(body).toContain('"code":"source-unavailable"');
      expect(await quickest(next)).toBeLessThan(answersWithinMs);
      expect((await ask(basic(token))).status).toBe(200);
      features.heal();
      const late = await coldToken();
      const healed = performance.now();
      await until(async () => (await ask(basic(late))).status === 200, "the call succeeds");
      expect(performance.now() - healed).toBeLessThan(recoversWithinMs);
    },
  );

  it.each(["cut", "hold"] as const)(
    "accepts cached tokens while the users' server is down (%s), and returns 503, never 401, for others",
    async (fault) => {
      expect((await answerInTime(service, "/features", basic("unknown"))).status).toBe(401);
      users[fault]();
      await until(async () => (await ask(basic("unknown"))).status === 503, "unknown tokens get 503");
      for (const token of ["never-seen", await coldToken()]) {
        const { status } = await ask(basic(token));
        expect([token, status]).toEqual([token, 503]);
      }
      expect((await ask()).status).toBe(200);
      expect(await quickest(() => basic("unknown"))).toBeLessThan(answersWithinMs);
      const anybody = await answerInTime(service, "/features");
      expect([anybody.status, await anybody.text()]).toEqual([200, '{"active_features":["feature_1"]}']);
      users.heal();
      await until(async () => (await ask(basic("unknown"))).status === 401, "an unknown token is unknown again");
    },
  );

  it("responds in time while both servers hang", async () => {
    const token = await coldToken();
    users.hold();
    features.hold();
    expect((await ask()).status).toBe(200);
    expect((await ask(basic(token))).status).toBe(503);
    expect(await quickest(() => basic("1234"))).toBeLessThan(answersWithinMs);
    expect(await quickest(() => basic(token))).toBeLessThan(answersWithinMs);
  });

  it("marks responses with their true age, regardless of the wall clock", async () => {
    const { body } = await ask();
    users.cut();
    features.cut();
    await until(async () => (await ask()).mark !== null, "the answers are marked");
    const startedAt = performance.now();
    const before = Number((await ask()).response.headers.get("age"));
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (const set of [-5_000, -3_600_000, 25 * 3_600_000]) {
        vi.setSystemTime(vi.getRealSystemTime() + set);
        const { status, mark, response, ...notified } = await ask();
        const passed = Math.ceil((performance.now() - startedAt) / 1_000);
        expect([set, status, notified.body, mark]).toEqual([set, 200, body, expect.stringContaining("stale")]);
        const age = Number(response.headers.get("age"));
        expect(age).toBeGreaterThanOrEqual(before);
        expect(age).toBeLessThanOrEqual(before + passed);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("keeps a kill that was made just before the outage", async () => {
    await redis.client.sadd("global_features", "victim");
    await until(async () => (await ask({})).body.includes("victim"), "the feature is on");
    const reads = () => features.sent.filter((burst) => burst.includes("tidegate:killed")).length;
    const before = reads();
    await redis.client.sadd("tidegate:killed", "victim");
    await until(() => reads() > before, "the killed features are read again without a request");
    await until(async () => !(await ask({})).body.includes("victim"), "the feature is off");
    features.cut();
    await until(async () => (await ask({})).mark !== null, "the answer is marked");
    expect((await ask({})).body).not.toContain("victim");
    features.heal();
    await redis.client.del("tidegate:killed");
    await redis.client.srem("global_features", "victim");
  });

  it("applies changes made while only the invalidation connection was down", async () => {
    expect((await ask({})).body).toBe('{"active_features":["feature_1"]}');
    features.cut();
    await redis.client.sadd("global_features", "meanwhile");
    features.heal();
    await until(async () => (await ask({})).body.includes("meanwhile"), "the change is seen");
    await redis.client.srem("global_features", "meanwhile");
  });

  it("starts without Redis, is not ready, and serves once Redis is up", async () => {
    features.cut();
    await using late = await startService(
      redisRules(`redis://127.0.0.1:${users.port}`, `redis://127.0.0.1:${features.port}`),
    );
    expect((await late.get("/features")).status).toBe(503);
    expect((await late.get("/health/ready")).status).toBe(503);
    features.heal();
    expect(await late.readyWithin(20_000)).toBe(true);
    expect((await answerInTime(late, "/features")).status).toBe(200);
  });

  it("skips an uncached source if allowed, and marks the response as incomplete", async () => {
    const yaml = redisRules(`redis://127.0.0.1:${users.port}`, `redis://127.0.0.1:${features.port}`);
    const feedServer = `
  - { name: everyone, kind: static, features: { always: true } }
  - { name: partner, kind: set, connection: partner, key: "partner:features", onFailure: skip }
`;
    await using away = await TcpProxy.to(redis.port);
    away.cut();
    const connections = `connections:\n  partner: { kind: redis, url: "redis://127.0.0.1:${away.port}" }`;
    await using service = await startService(yaml.replace("connections:", connections) + feedServer);
    await until(async () => (await service.get("/features")).status === 200, "the other sources are read");
    const response = await service.get("/features");
    expect(response.headers.get("cache-status")).toBe('tidegate; fwd=miss; detail="incomplete: partner"');
    expect([response.status, await response.text()]).toEqual([200, '{"active_features":["always","feature_1"]}']);
    away.heal();
    await until(async () => (await service.get("/features")).headers.get("cache-status") === null, "it is complete");
  });
});

describe("a store that lost its data, or was empty at the start", () => {
  const everyone = '{"active_features":["feature_1"]}';
  const own = '{"active_features":["feature_1","feature_3"]}';
  const none = '{"active_features":[]}';
  let redis: RedisServer;
  let another: RedisServer;
  let proxy: TcpProxy;
  let folder: string;
  let file: string;
  beforeAll(async () => {
    [redis, another] = await Promise.all([startRedis(), startRedis()]);
  });
  beforeEach(async () => {
    // The marker is removed too, as on servers that were never used.
    await Promise.all([redis, another].map(({ client }) => client.flushall()));
    proxy = await TcpProxy.to(redis.port);
    folder = mkdtempSync(join(tmpdir(), "tidegate-faults-"));
    file = join(folder, "snapshot.ndjson");
    await redis.client
      .multi()
      .mset("token:1234", "1", "token:never-asked", "1")
      .sadd("global_features", "feature_1")
      .sadd("active_features", "feature_3")
      .sadd("features:user:1", "feature_3")
      .exec();
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  afterAll(async () => {
    for (const each of [redis, another]) await each[Symbol.asyncDispose]();
  });

  const url = () => `redis://127.0.0.1:${proxy.port}`;
  const started = () => startService(redisRules(url(), url()));

  async function ask(service: TestService, token?: string) {
    const response = await service.get("/features", token === undefined ? {} : basic(token));
    return { status: response.status, body: await response.text(), mark: response.headers.get("cache-status") };
  }

  const isReady = async (service: TestService) => (await service.get("/health/ready")).status === 200;

  const answers = (service: TestService, body: string, token?: string) =>
    until(async () => {
      const { status, body: answered, mark } = await ask(service, token);
      return status === 200 && answered === body && mark === null;
    }, `it answers ${body}, unmarked`);

  const rejects = (service: TestService, token: string) =>
    until(async () => (await ask(service, token)).status === 401, `the token ${token} is unknown`);

  /** Sends requests until all cached responses are marked. None omits a feature, and none rejects a known token. */
  async function expectCached(service: TestService): Promise<void> {
    let marked = 0;
    await until(async () => {
      const [anybody, user, late] = await Promise.all([
        ask(service),
        ask(service, "1234"),
        ask(service, "never-asked"),
      ]);
      expect([anybody, user]).toMatchObject([
        { status: 200, body: everyone },
        { status: 200, body: own },
      ]);
      expect([200, 503]).toContain(late.status);
      if (anybody.mark && user.mark && late.status === 503) marked += 1;
      return marked >= 20;
    }, "cached responses are marked, and others are rejected");
    expect(await isReady(service)).toBe(true);
    expect((await ask(service, "unknown-and-never-asked")).status).toBe(503);
  }

  const losses: readonly (readonly [string, () => unknown])[] = [
    ["is flushed", () => redis.client.flushall()],
    ["has every key deleted", async () => redis.client.del(await redis.client.keys("*"))],
    ["starts again without its data", () => proxy.leadTo(another.port)],
  ];

  describe.each(losses)("a store that %s", (_, lose) => {
    it("is treated as an outage until it is refilled", async () => {
      await using service = await started();
      await until(() => isReady(service), "it is ready");
      await answers(service, everyone);
      await answers(service, own, "1234");
      await rejects(service, "unknown");
      await lose();
      await expectCached(service);
      for (const { client } of [redis, another]) {
        await client.multi().sadd("global_features", "feature_9").set("token:5678", "2").exec();
      }
      await answers(service, '{"active_features":["feature_9"]}');
      await rejects(service, "1234");
      await answers(service, '{"active_features":["feature_9"]}', "5678");
    });

    it("is served once it is accepted", async () => {
      await using service = await started();
      await until(() => isReady(service), "it is ready");
      await answers(service, everyone);
      await answers(service, own, "1234");
      await lose();
      await expectCached(service);
      const env = { REDIS_USERS_URL: url(), REDIS_FEATURES_URL: url(), TIDEGATE_DATA: folder };
      expect(await tidegate(["stores", "accept", "nowhere"], env)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          'tidegate: Unknown connection "nowhere". The connections are: users, features.\n',
        ),
      });
      expect(await tidegate(["stores", "accept"], env)).toMatchObject({
        code: 0,
        stdout: "users: accepted\nfeatures: accepted\n",
      });
      await answers(service, none);
      await rejects(service, "1234");
    });
  });

  it("accepts a store by command even if the network is too slow for a service", async () => {
    proxy.delay(300);
    const env = { REDIS_USERS_URL: url(), REDIS_FEATURES_URL: url(), TIDEGATE_DATA: folder };
    expect(await tidegate(["stores", "accept", "users"], env)).toEqual({
      code: 0,
      stdout: "users: accepted\n",
      stderr: "",
    });
  });

  it("shows the loss in the readiness for operators until the store is refilled", async () => {
    await using service = await startService(redisRules(url(), url()), { TIDEGATE_ADMIN_TOKEN: adminToken });
    const connections = async () =>
      JSON.stringify(
        ((await (await service.get("/health/ready", bearer(adminToken))).json()) as { connections: object })
          .connections,
      );
    await answers(service, everyone);
    await until(async () => (await redis.client.exists(markerKey)) === 1, "the store is marked");
    const both = '{"users":"answering","features":"answering"}';
    await until(async () => (await connections()) === both, "both connections respond");
    await redis.client.flushall();
    await until(async () => (await connections()).includes('"features":"failing"'), "the loss is shown");
    expect(await isReady(service)).toBe(true);
    await redis.client.sadd("global_features", "feature_1");
    await until(async () => (await connections()).includes('"features":"answering"'), "it is refilled");
  });

  it("accepts a store after its last members and tokens are deleted", async () => {
    await using service = await started();
    await answers(service, everyone);
    await until(async () => (await redis.client.exists(markerKey)) === 1, "the store is marked");
    await redis.client.srem("global_features", "feature_1");
    await redis.client.del("token:1234", "token:never-asked", "active_features", "features:user:1");
    await answers(service, none);
    await rejects(service, "1234");
  });

  it("accepts a store that was empty at the start, without a mark", async () => {
    proxy.leadTo(another.port);
    await using service = await started();
    await answers(service, none);
    await rejects(service, "1234");
    expect(await another.client.exists(markerKey)).toBe(0);
  });

  it("logs the loss once per source, not per call", async () => {
    await using service = new TestProcess(["src/main.ts"], {
      REDIS_USERS_URL: url(),
      REDIS_FEATURES_URL: url(),
      TIDEGATE_CONFIG: "test/support/logging.yaml",
      HOST: "127.0.0.1",
      PORT: "0",
    });
    const address = await service.url();
    const call = async () => {
      const response = await fetch(`${address}/features`, { headers: basic("1234") });
      return { body: await response.text(), mark: response.headers.get("cache-status") };
    };
    await until(async () => (await call()).body === own, "it answers");
    await until(async () => (await redis.client.exists(markerKey)) === 1, "the store is marked");
    await redis.client.flushall();
    await until(async () => (await call()).mark !== null, "the answer is marked");
    const sources = () => {
      const lines = service.stderr.split("\n").filter((line) => line.includes("came back empty"));
      return lines.map((line) => JSON.parse(line).source);
    };
    await until(async () => (await call()) && sources().length >= 4, "each source logs it");
    for (let count = 0; count < 20; count++) await call();
    expect(sources().toSorted()).toEqual(["active", "global", "tokens", "user"]);
  });

  describe("with a snapshot", () => {
    const pepper = { TIDEGATE_TOKEN_PEPPER: "a pepper of enough characters" };
    const started = (env: NodeJS.ProcessEnv = pepper) =>
      startService(`${redisRules(url(), url())}cache: { snapshot: { file: ${JSON.stringify(file)} } }\n`, env);

    /** A process that has served requests, and stopped. */
    async function anEarlierOne(env?: NodeJS.ProcessEnv): Promise<void> {
      await using service = await started(env);
      await until(() => isReady(service), "it is ready");
      await answers(service, everyone);
      await answers(service, own, "1234");
    }

    it("serves during an outage of Redis, marked as stale, even over restarts, and fresh once it is back", async () => {
      await anEarlierOne();
      proxy.cut();
      for (let start = 0; start < 2; start++) {
        await using service = await started();
        expect(await isReady(service)).toBe(true);
        for (const [token, body] of [[undefined, everyone] as const, ["1234", own] as const]) {
          const mark = expect.stringMatching(/^tidegate; hit; ttl=-\d+; detail="stale"$/);
          expect(await ask(service, token)).toEqual({ status: 200, body, mark });
        }
        expect((await ask(service, "never-asked")).status).toBe(503);
      }
      await using service = await started();
      await redis.client.sadd("global_features", "feature_2");
      proxy.heal();
      const healed = performance.now();
      await answers(service, '{"active_features":["feature_1","feature_2"]}');
      expect(performance.now() - healed).toBeLessThan(recoversWithinMs);
    });

    it("serves the last content of a store that lost its data meanwhile, marked as stale", async () => {
      await anEarlierOne();
      await redis.client.flushall();
      await using service = await started();
      for (let call = 0; call < 20; call++) {
        expect(await ask(service)).toMatchObject({ status: 200, body: everyone, mark: expect.anything() });
        expect(await ask(service, "1234")).toMatchObject({ status: 200, body: own, mark: expect.anything() });
        expect((await ask(service, "unknown")).status).toBe(503);
      }
    });

    it("serves fresh responses from the first request on if Redis is up", async () => {
      await anEarlierOne();
      await redis.client.sadd("global_features", "feature_2");
      let first = "";
      // On a busy machine the first read may be late.
      await until(async () => {
        await using service = await started();
        const { status, body, mark } = await ask(service);
        first = body;
        return status === 200 && mark === null;
      }, "the first response is fresh");
      expect(first).toBe('{"active_features":["feature_1","feature_2"]}');
    });

    it("knows no token without a pepper: serves anonymous callers, and is not ready", async () => {
      await anEarlierOne({});
      proxy.cut();
      await using service = await started({});
      expect(await ask(service)).toMatchObject({ status: 200, body: everyone });
      expect((await ask(service, "1234")).status).toBe(503);
      expect(await isReady(service)).toBe(false);
      proxy.heal();
      expect(await service.readyWithin(20_000)).toBe(true);
    });

    it.each([
      ["with a pepper", pepper],
      ["without one", {}],
    ])("reveals no token, even by guessing: %s", async (_, env) => {
      const token = "s3cret-t0ken";
      await redis.client.set(`token:${token}`, "1");
      {
        await using service = await started(env);
        await answers(service, own, token);
      }
      const content = readFileSync(file, "utf8");
      const lines = content.split("\n").filter((line) => line.startsWith('{"token"'));
      expect(lines).toHaveLength("TIDEGATE_TOKEN_PEPPER" in env ? 1 : 0);
      for (const text of [token, `token:${token}`]) {
        for (const secret of [text, hash("sha256", text, "base64url"), hash("sha256", text, "hex"), btoa(text)]) {
          expect(content).not.toContain(secret);
        }
      }
      for (const secret of [...Object.values(env), "redis://", `${proxy.port}`]) expect(content).not.toContain(secret);
    });

    it("starts without it if it was edited: not ready, and 503, until Redis is up", async () => {
      await anEarlierOne();
      writeFileSync(file, readFileSync(file, "utf8").replace("feature_1", "feature_2"));
      proxy.cut();
      await using service = await started();
      expect([(await ask(service)).status, await isReady(service)]).toEqual([503, false]);
      proxy.heal();
      expect(await service.readyWithin(20_000)).toBe(true);
      await answers(service, everyone);
    });
  });
});
