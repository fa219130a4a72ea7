import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { emptied, type RedisServer, startRedis } from "../../support/redis.ts";
import { basic, bearer, redisRules, settled, startService, type TestService } from "../../support/service.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";

describe("GET /features", () => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    const location = `  - { name: location, kind: set, connection: features, key: "location:{location}", gatedBy: [active] }\n`;
    service = await startService(redisRules(redis.url, redis.url) + location);
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
    const response = await service.get(path, headers);
    expect(response.status).toBe(200);
    return ((await response.json()) as { active_features: string[] }).active_features;
  };

  it("answers what everyone gets without credentials", async () => {
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
  ])("answers what the token's user gets: %s", async (_, headers) => {
    expect(await featuresOf("/features", headers)).toEqual(["feature_1", "feature_2", "feature_3"]);
  });

  it("sorts by code point, and lists nothing twice", async () => {
    await redis.client.sadd("global_features", "b", "B", "a", "ü", "\uffee", "😀", "feature_3");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual([
      ..."B,a,b,feature_1,feature_2,feature_3,ü,\uffee,😀".split(","),
    ]);
  });

  it("answers an empty list from empty stores", async () => {
    await emptied(redis.client);
    await settled(redis.client, service);
    expect(await featuresOf("/features")).toEqual([]);
  });

  it("takes a feature from every user that is taken from the active ones", async () => {
    await redis.client.srem("active_features", "feature_3");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual(["feature_1", "feature_2"]);
  });

  it("switches off what is killed, whoever grants it, and restores it", async () => {
    await redis.client.sadd("tidegate:killed", "feature_1", "feature_3");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual(["feature_2"]);
    await redis.client.del("tidegate:killed");
    await settled(redis.client, service);
    expect(await featuresOf("/features", bearer("1234"))).toEqual(["feature_1", "feature_2", "feature_3"]);
  });

  it("applies a location's features where one is claimed", async () => {
    await redis.client.sadd("location:madrid", "feature_3", "feature_9");
    await settled(redis.client, service);
    expect(await featuresOf("/features?location=madrid")).toEqual(["feature_1", "feature_2", "feature_3"]);
    expect(await featuresOf("/features?location=")).toEqual(["feature_1", "feature_2"]);
    expect(await featuresOf("/features?location=paris")).toEqual(["feature_1", "feature_2"]);
  });

  it("carries a strong ETag of the body, and answers 304 while it holds", async () => {
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

  it("refuses an empty Authorization header also when the answer to everyone is remembered", async () => {
    await featuresOf("/features");
    await featuresOf("/features");
    expect((await service.get("/features", { authorization: "" })).status).toBe(401);
  });

  it("says how it may be kept, and that it depends on the caller", async () => {
    const { headers } = await service.get("/features");
    expect(headers.get("cache-control")).toBe("private, no-cache");
    expect(headers.get("vary")).toBe("Authorization");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.has("cache-status")).toBe(false);
  });

  it("answers HEAD as GET, without the body", async () => {
    const get = await service.get("/features");
    const head = await fetch(`${service.url}/features`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    expect(head.headers.get("etag")).toBe(get.headers.get("etag"));
  });

  it.each(["*/*", "application/json", "application/*;q=0.5, text/html", "text/html, */*;q=0.1"])(
    "answers who accepts %s",
    async (accept) => {
      expect((await service.get("/features", { accept })).status).toBe(200);
    },
  );

  it.each(["application/xml", "text/html", "application/json;q=0"])(
    "does not answer who accepts %s",
    async (accept) => {
      const response = await service.get("/features", { accept });
      expect(response.status).toBe(406);
      expect(await response.json()).toMatchObject({ code: "not-acceptable", key: "not_acceptable_error" });
    },
  );

  it("makes one round trip to each Redis", async () => {
    await using users = await TcpProxy.to(redis.port);
    await using features = await TcpProxy.to(redis.port);
    const urls = [users, features].map(({ port }) => `redis://127.0.0.1:${port}`);
    const location = `  - { name: location, kind: set, connection: features, key: "location:{location}", gatedBy: [active] }\n`;
    await using proxied = await startService(redisRules(urls[0] ?? "", urls[1] ?? "") + location);
    expect(await proxied.readyWithin(10_000)).toBe(true);
    const reads = ({ sent }: TcpProxy) => sent.filter((burst) => /srandmember|token:1234/.test(burst));
    const before = [reads(users).length, reads(features).length];
    await proxied.get("/features?location=madrid", bearer("1234"));
    expect([reads(users).length, reads(features).length]).toEqual(before.map((count) => count + 1));
  });

  it("reads nothing of Redis for a call that is like one before", async () => {
    const calls = 200;
    await featuresOf("/features", bearer("1234"));
    const reads = async () => {
      const stats = await redis.client.info("commandstats");
      const counts = [...stats.matchAll(/^cmdstat_(srandmember|pttl):calls=(\d+)/gm)].map(([, , count]) =>
        Number(count),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await reads();
    for (let call = 0; call < calls; call++) await featuresOf("/features", bearer("1234"));
    expect((await reads()) - before).toBe(0);
  });

  it("reads each key once for a thousand calls at the same time that find nothing remembered", async () => {
    await redis.client.set("token:cold", "cold");
    await redis.client.sadd("features:user:cold", "feature_3");
    await redis.client.config("RESETSTAT");
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => featuresOf("/features", bearer("cold"))));
    expect(new Set(answers.map(String))).toEqual(new Set(["feature_1,feature_2,feature_3"]));
    const stats = await redis.client.info("commandstats");
    const count = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1]);
    const sets = count("srandmember");
    // Each key is asked when it expires with what it holds; others than tokens are sets.
    expect(count("pttl") - sets).toBe(1);
    expect(sets).toBeLessThanOrEqual(4);
  });
});
