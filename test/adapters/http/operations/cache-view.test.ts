import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import {
  answerInTime,
  bearer,
  feedsLive,
  redisRules,
  settled,
  startService,
  type TestService,
} from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { until } from "../../../support/until.ts";
import { withinLease } from "../../../support/within-lease.ts";

const admin = "the-operators-credential";

type View = {
  key: string;
  pid: number;
  connections: {
    connection: string;
    sources: string[];
    cached: { features: string[]; since: string; asOf: string; fresh: boolean; expiresAt: string } | null;
    store: { features?: string[]; invalidMembers?: number; error?: string };
  }[];
};

describe("the view of the cache", () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let users: RedisServer["client"];
  let service: TestService;
  /** A user in no test before. */
  let user = 0;
  beforeAll(async () => {
    redis = await startRedis();
    proxy = await TcpProxy.to(redis.port);
    users = redis.client.duplicate({ db: 1 });
    users.on("error", () => {});
    const more = `  - { name: mine, kind: set, connection: features, key: "features:user:{userId}" }
  - { name: other, kind: set, connection: users, key: "features:user:{userId}" }
`;
    const url = `redis://127.0.0.1:${proxy.port}`;
    service = await startService(redisRules(`${url}/1`, url) + more, { TIDEGATE_ADMIN_TOKEN: admin });
    await service.readyWithin(10_000);
    // Reads before this instant are never fresh.
    await feedsLive(service, admin);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    users.disconnect();
    await proxy[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const view = (key: string) => service.get(`/admin/v1/cache?key=${encodeURIComponent(key)}`, bearer(admin));
  const seen = async (key: string) => (await (await view(key)).json()) as View;

  it("returns the cached and the stored value of a key, with the sources that read it", async () => {
    user += 1;
    const key = `features:user:${user}`;
    await redis.client.sadd(key, "b", "a");
    await users.set(`token:of-${user}`, user);
    const before = Date.now();
    const cold = await seen(key);
    expect(cold).toMatchObject({ key, pid: process.pid });
    expect(cold.connections).toEqual([
      {
        connection: "features",
        sources: ["user", "mine"],
        cached: null,
        store: { features: ["a", "b"], invalidMembers: 0 },
      },
      { connection: "users", sources: ["other"], cached: null, store: { features: [], invalidMembers: 0 } },
    ]);
    const { connections } = await withinLease(async () => {
      await (await answerInTime(service, "/features", bearer(`of-${user}`))).text();
      return seen(key);
    });
    expect(connections.map(({ cached }) => cached?.features)).toEqual([["a", "b"], []]);
    const { since = "", asOf = "", fresh, expiresAt = "" } = connections[0]?.cached ?? {};
    expect(fresh).toBe(true);
    for (const time of [since, asOf]) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before - 1_000);
      expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    }
    expect(Date.parse(expiresAt) - Date.parse(since)).toBeGreaterThan(40_000);
  });

  it("does not change the cache, and is not cached", async () => {
    await settled(redis.client, service, users);
    const answer = await view("features:user:nobody");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect((await seen("features:user:nobody")).connections[0]?.cached).toBeNull();
  });

  it("returns the cached value and the error of an unavailable store", async () => {
    await redis.client.sadd("global_features", "a");
    await until(async () => (await seen("global_features")).connections[0]?.cached?.features.length === 1, "it is");
    proxy.cut();
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        proxy.heal();
        const failing = async () => (await seen("global_features")).connections.some(({ store }) => store.error);
        await until(async () => !(await failing()), "the store is available again");
      },
    };
    await until(async () => (await seen("global_features")).connections[0]?.cached?.fresh === false, "it is old");
    const [found] = (await seen("global_features")).connections;
    expect(found).toMatchObject({
      cached: { features: ["a"], fresh: false },
      store: { error: expect.any(String) },
    });
  });

  it("reports a stored value that is not a set", async () => {
    await redis.client.set("tidegate:killed", "text");
    const [found] = (await seen("tidegate:killed")).connections;
    expect(found?.store.error).toBe("tidegate:killed has the wrong type; fix it in Redis");
    await redis.client.del("tidegate:killed");
  });

  it.each(["", "token:1234", "tokenh:x", "features:user:", "features:user:*", "features:user:1:2", "other", "*"])(
    "rejects the key %j, and names the keys in use",
    async (key) => {
      await users.set("token:1234", "canary");
      const answer = await view(key);
      const text = await answer.text();
      expect([answer.status, JSON.parse(text)]).toMatchObject([404, { code: "unknown-set" }]);
      expect(text).toMatch(
        /The keys in use are: global_features, .*features:user:\{userId\}|Write it as features:user:/,
      );
      expect(text).not.toContain("canary");
      if (key.startsWith("token")) expect(text).not.toContain(key);
    },
  );

  it("suggests the encoding of a key", async () => {
    const { detail } = (await (await view("features:user:São Paulo")).json()) as { detail: string };
    expect(detail).toBe("No source reads a set with this key. Write it as features:user:São%20Paulo.");
  });
});
