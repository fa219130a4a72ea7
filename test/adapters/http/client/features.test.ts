import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { emptied, type RedisServer, startRedis } from "../../../support/redis.ts";
import {
  answerInTime,
  basic,
  bearer,
  isInTime,
  redisRules,
  settled,
  startService,
  type TestService,
  ways,
} from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { firstResult, until } from "../../../support/until.ts";
import { withinLease } from "../../../support/within-lease.ts";

describe.each(ways)("GET /features, with calls served %s", (_, way) => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    const location = `  - { name: location, kind: set, connection: features, key: "location:{location}", gatedBy: [active] }\n`;
    service = await startService(redisRules(redis.url, redis.url) + location, {}, way);
    await service.readyWithin(10_000);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.set("token:1234", "1");
    await redis.client.sadd("global_features", "feature_1", "feature_2");
    await redis.client.sadd("active_features", "feature_3");
    await redis.client.sadd("features:user:1", "feature_3", "feature_4");
    await settled(redis.client, service);
  });

  const featuresOf = async (path: string, headers?: Record<string, string>) => {
    const response = await answerInTime(service, path, headers);
    expect(response.status).toBe(200);
    return ((await response.json()) as { active_features: string[] }).active_features;
  };

  it("returns the features for everyone without credentials", async () => {
    const response = await service.get("/features");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe('{"active_features":["feature_1","feature_2"]}');
  });

  it.each([
    ["Basic with the token as password", basic("1234")],
    ["Basic with any user name", { authorization: `Basic ${btoa("somebody:1234")}` }],
    ["Bearer", bearer("1234")],
    ["a scheme in other letters", { authorization: "bEARER   1234" }],
  ])("returns the features of the token's user: %s", async (_, headers) => {
    expect(await featuresOf("/features", headers)).toEqual(["feature_1", "feature_2", "feature_3"]);
  });

  it("sorts by code point, without duplicates", async () => {
    await redis.client.sadd("global_features", "b", "B", "a", "ü", "\uffee", "😀", "feature_3");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual([
      ..."B,a,b,feature_1,feature_2,feature_3,ü,\uffee,😀".split(","),
    ]);
  });

  it("returns an empty list from empty stores", async () => {
    await emptied(redis.client);
    await settled(redis.client, service);
    expect(await featuresOf("/features")).toEqual([]);
  });

  it("switches a feature off for all users after removal from active_features", async () => {
    await redis.client.srem("active_features", "feature_3");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual(["feature_1", "feature_2"]);
  });

  it("switches killed features off for everyone, and restores them", async () => {
    await redis.client.sadd("tidegate:killed", "feature_1", "feature_3");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual(["feature_2"]);
    await redis.client.del("tidegate:killed");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual(["feature_1", "feature_2", "feature_3"]);
  });

  it("adds the features of the claimed location", async () => {
    await redis.client.sadd("location:madrid", "feature_3", "feature_9");
    await settled(redis.client, service);
    expect(await featuresOf("/features?location=madrid")).toEqual(["feature_1", "feature_2", "feature_3"]);
    expect(await featuresOf("/features?location=")).toEqual(["feature_1", "feature_2"]);
    expect(await featuresOf("/features?location=paris")).toEqual(["feature_1", "feature_2"]);
  });

  it("has a strong ETag of the body, and returns 304 while it matches", async () => {
    const first = await service.get("/features");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{43}"$/);
    for (const sent of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const second = await service.get("/features", { "if-none-match": sent });
      expect([sent, second.status, await second.text()]).toEqual([sent, 304, ""]);
      expect(second.headers.get("etag")).toBe(etag);
      expect(second.headers.get("vary")).toBe("Authorization");
    }
    await redis.client.sadd("global_features", "new");
    await settled(redis.client, service);
    const third = await service.get("/features", { "if-none-match": etag });
    expect(third.status).toBe(200);
    expect(third.headers.get("etag")).not.toBe(etag);
  });

  it("rejects an empty Authorization header even if the anonymous response is cached", async () => {
    await featuresOf("/features");
    await featuresOf("/features");
    expect((await service.get("/features", { authorization: "" })).status).toBe(401);
  });

  it("has Cache-Control and Vary headers", async () => {
    const { headers } = await answerInTime(service, "/features");
    expect(headers.get("cache-control")).toBe("private, no-cache");
    expect(headers.get("vary")).toBe("Authorization");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("responds to HEAD as to GET, without the body", async () => {
    const get = await service.get("/features");
    const head = await fetch(`${service.url}/features`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    expect(head.headers.get("etag")).toBe(get.headers.get("etag"));
  });

  it.each(["*/*", "application/json", "application/*;q=0.5, text/html", "text/html, */*;q=0.1"])(
    "responds to Accept: %s",
    async (accept) => {
      expect((await service.get("/features", { accept })).status).toBe(200);
    },
  );

  it.each(["application/xml", "text/html", "application/json;q=0"])("returns 406 to Accept: %s", async (accept) => {
    const response = await service.get("/features", { accept });
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({ code: "not-acceptable", key: "not_acceptable_error" });
  });

  it("makes one round trip to each Redis", async () => {
    await using users = await TcpProxy.to(redis.port);
    await using features = await TcpProxy.to(redis.port);
    const urls = [users, features].map(({ port }) => `redis://127.0.0.1:${port}`);
    const location = `  - { name: location, kind: set, connection: features, key: "location:{location}", gatedBy: [active] }\n`;
    await using proxied = await startService(redisRules(urls[0] ?? "", urls[1] ?? "") + location, {}, way);
    expect(await proxied.readyWithin(10_000)).toBe(true);
    const reads = () => [users, features].map(({ sent }) => sent.filter((burst) => /eval(sha)?_ro/.test(burst)).length);
    const readBy = async (path: string, headers?: Record<string, string>) => {
      const before = reads();
      await proxied.get(path, headers);
      return reads().map((count, index) => count - (before[index] ?? 0));
    };
    // When the invalidation feed connects, the service reads the fixed keys again, without a request.
    await until(async () => (await readBy("/features")).join() === "0,0", "the fixed keys are cached");
    expect(await readBy("/features?location=madrid", bearer("1234"))).toEqual([1, 1]);
  });

  /** Counts how often each of these commands reaches Redis during `action`. */
  async function commandsDuring(action: () => Promise<unknown>): Promise<Record<"pttl" | "srandmember", number>> {
    await redis.client.config("RESETSTAT");
    await action();
    const stats = await redis.client.info("commandstats");
    const count = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    return { pttl: count("pttl"), srandmember: count("srandmember") };
  }

  /** Resolves once the invalidations of earlier changes have arrived and the changed keys are read again. */
  async function cached(token: string): Promise<void> {
    const isCached = async () => {
      let isMarked = true;
      const { pttl, srandmember } = await commandsDuring(async () => {
        isMarked = (await service.get("/features", bearer(token))).headers.has("cache-status");
      });
      return !isMarked && pttl + srandmember === 0;
    };
    await until(isCached, "a call is answered from the cache");
  }

  it("reads nothing from Redis for a repeated request", async () => {
    const commands = await withinLease(async () => {
      await cached("1234");
      return commandsDuring(async () => {
        for (let call = 0; call < 200; call++) await featuresOf("/features", bearer("1234"));
      });
    });
    expect(commands).toEqual({ pttl: 0, srandmember: 0 });
  });

  it("shares one read of each key among hundreds of concurrent requests", async () => {
    let users = 0;
    const measured = async () => {
      users += 1;
      const token = `cold-${users}`;
      await redis.client.set(`token:${token}`, token);
      await redis.client.sadd(`features:user:${token}`, "feature_3");
      await settled(redis.client, service);
      await cached("1234");
      let answers: { headers: Headers; body: string }[] = [];
      const commands = await commandsDuring(async () => {
        const calls = Array.from({ length: 200 }, () => service.get("/features", bearer(token)));
        answers = await Promise.all(
          calls.map(async (call) => ({ headers: (await call).headers, body: await (await call).text() })),
        );
      });
      return { commands, answers };
    };
    const areInTime = ({ answers }: { answers: Pick<Response, "headers">[] }) => answers.every(isInTime);
    const { commands, answers } = await withinLease(() =>
      firstResult(measured, areInTime, "the store answers in time"),
    );
    // Each key is read with its TTL. The key that is not a set is the token's.
    expect(commands).toEqual({ pttl: 2, srandmember: 1 });
    expect(new Set(answers.map(({ body }) => body))).toEqual(
      new Set(['{"active_features":["feature_1","feature_2","feature_3"]}']),
    );
  });
});
