import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { maxStringBytes } from "../../../../src/domain/admin/stored-values.ts";
import { emptied, type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { unblocked } from "../../../support/unblocked.ts";
import { firstResult, until } from "../../../support/until.ts";

const admin = "the-operators-credential";

type Answer = { status: number; cacheStatus: string | null; body: Record<string, unknown> };

async function read(service: TestService, key: string, headers = bearer(admin)): Promise<Answer> {
  const answer = await service.get(`/proxy?key=${encodeURIComponent(key)}`, headers);
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, cacheStatus: answer.headers.get("cache-status"), body };
}

/** The first response for which the store did not respond too late. */
const readInTime = (service: TestService, key: string): Promise<Answer> =>
  firstResult(
    () => read(service, key),
    ({ body }) => body["code"] !== "source-unavailable",
    "the store answers in time",
  );

const hit = /^tidegate; hit; ttl=\d+$/;

describe("GET /proxy on Redis", () => {
  let redis: RedisServer;
  let line: TcpProxy;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    line = await TcpProxy.to(Number(new URL(redis.url).port));
  });
  afterAll(async () => {
    await line[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    service = await startService(
      `
server: { proxy: ["page:", "page:home", "seeded_"] }
cache: { capacity: 3, expirySeconds: 60 }
connections: { features: { kind: redis, url: "redis://127.0.0.1:${line.port}" } }
tokens: { connection: features }
sources: [{ name: global, kind: set, connection: features, key: global_features }]
`,
      { TIDEGATE_ADMIN_TOKEN: admin },
    );
    await service.readyWithin(10_000);
  });
  afterEach(() => service[Symbol.asyncDispose]());

  /** Reads until the cache answers, which needs the invalidation feed. */
  const cached = (key: string): Promise<Answer> =>
    firstResult(
      () => read(service, key),
      ({ cacheStatus }) => hit.test(cacheStatus ?? ""),
      `${key} is cached`,
    );

  it("returns a string, read once and then from the cache until it changes", async () => {
    let key = "";
    // While the process is blocked, it cannot prove that its cache is current.
    const [first, second] = await unblocked(async () => {
      key = `seeded_${randomUUID()}`;
      await redis.client.set(key, "one ü");
      await cached("seeded_other");
      return [await readInTime(service, key), await readInTime(service, key)];
    });
    const body = { key, type: "string", value: "one ü" };
    expect(first).toEqual({ status: 200, cacheStatus: "tidegate; fwd=miss; stored", body });
    expect(second.body).toEqual(body);
    const [, ttl] = /^tidegate; hit; ttl=(\d+)$/.exec(second.cacheStatus ?? "") ?? [];
    expect(Number(ttl)).toBeGreaterThan(30);
    expect(Number(ttl)).toBeLessThanOrEqual(72);
    await redis.client.set(key, "two");
    await until(async () => (await read(service, key)).body["value"] === "two", "the change is read");
  });

  it("returns a set, and an empty string as such", async () => {
    await redis.client.sadd("page:home", "b", "a");
    await redis.client.set("page:empty", "");
    expect((await readInTime(service, "page:home")).body).toEqual({ key: "page:home", type: "set", value: ["a", "b"] });
    expect((await readInTime(service, "page:empty")).body).toEqual({ key: "page:empty", type: "string", value: "" });
  });

  it("returns 404 for an absent key, cached too, until it is set", async () => {
    const { status, body } = await cached("page:none");
    expect({ status, code: body["code"], detail: body["detail"] }).toEqual({
      status: 404,
      code: "unknown-key",
      detail: "The key does not exist in the store.",
    });
    await redis.client.set("page:none", "now");
    await until(async () => (await read(service, "page:none")).status === 200, "the new key is read");
  });

  it("evicts a key when it expires in Redis", async () => {
    await redis.client.set("page:brief", "x");
    expect((await readInTime(service, "page:brief")).status).toBe(200);
    await redis.client.pexpire("page:brief", 300);
    await until(async () => (await read(service, "page:brief")).status === 404, "it is gone");
  });

  it("rejects keys outside the listed prefixes, such as those of tokens and of Tidegate", async () => {
    await redis.client.set("token:1234", "1");
    for (const key of ["token:1234", "tidegate:store", "global_features", "pag", "PAGE:home"]) {
      const { status, body } = await read(service, key);
      expect([key, status, body["code"]]).toEqual([key, 404, "unknown-key"]);
      expect(body["detail"]).toMatch(/server\.proxy/);
    }
  });

  it("returns 409 with the type for other values than strings and sets of text", async () => {
    await redis.client.hset("page:hash", "a", "1");
    await redis.client.rpush("page:list", "a");
    await redis.client.set("page:bytes", Buffer.from([0xff, 0xfe]));
    await redis.client.sadd("page:members", "a", Buffer.from([0xff]));
    await redis.client.set("page:full", "x".repeat(maxStringBytes));
    await redis.client.set("page:large", "x".repeat(maxStringBytes + 1));
    expect((await readInTime(service, "page:full")).status).toBe(200);
    const kinds = {
      "page:hash": "a hash",
      "page:list": "a list",
      "page:bytes": "a string that is not UTF-8",
      "page:members": "a set with a member that is not UTF-8",
      "page:large": `a string of more than ${maxStringBytes} bytes`,
    };
    for (const [key, kind] of Object.entries(kinds)) {
      const { status, body } = await readInTime(service, key);
      expect([status, body["code"]]).toEqual([409, "unsupported-value"]);
      expect(body["detail"]).toBe(`The key holds ${kind}. Read it with a client of the store.`);
    }
    await redis.client.del("page:hash");
    await redis.client.set("page:hash", "text");
    await until(async () => (await read(service, "page:hash")).status === 200, "the other type is read");
  });

  it("caches as many keys as the capacity allows", async () => {
    for (const key of ["a", "b", "c", "d"]) await redis.client.set(`page:${key}`, key);
    // While Redis does not get a processor, nothing proves that a value is current, and it is not stored.
    await until(async () => {
      for (const key of ["a", "b", "c", "d"]) await cached(`page:${key}`);
      const [evicted, kept] = [await read(service, "page:a"), await read(service, "page:d")];
      return evicted.cacheStatus === "tidegate; fwd=miss; stored" && hit.test(kept.cacheStatus ?? "");
    }, "the oldest of four is read again, and the latest is not");
  });

  it("returns the last known value, marked as stale, while Redis is unavailable, and 503 without one", async () => {
    await redis.client.set("page:kept", "last");
    await cached("page:kept");
    line.cut();
    const stale = /^tidegate; hit; ttl=-\d+; detail="stale"$/;
    await until(async () => stale.test((await read(service, "page:kept")).cacheStatus ?? ""), "it is stale");
    const answer = await service.get("/proxy?key=page:kept", bearer(admin));
    expect(await answer.json()).toMatchObject({ value: "last" });
    expect(Number(answer.headers.get("age"))).toBeGreaterThan(0);
    const { status, body } = await read(service, "page:unread");
    expect([status, body["code"]]).toEqual([503, "source-unavailable"]);
    line.heal();
  });

  it("needs an operator and one key", async () => {
    await redis.client.set("token:1234", "1");
    expect((await read(service, "page:home", {})).status).toBe(401);
    await until(async () => {
      const { status } = await read(service, "page:home", bearer("1234"));
      // Without a result of the tokens' store it is not known whose token that is.
      expect([403, 503]).toContain(status);
      return status === 403;
    }, "a client's token is refused");
    for (const query of ["", "?key=", "?key=a&key=b", "?key=page:a&more=1"]) {
      expect((await service.get(`/proxy${query}`, bearer(admin))).status).toBe(400);
    }
  });
});

describe("GET /proxy", () => {
  it("reads the sets of an embedded store, but no tokens", async () => {
    await using service = await startService(
      `
server: { proxy: [{ prefix: "features:", connection: features }] }
connections:
  features: { kind: sqlite, file: "\${FOLDER}/store.db" }
  other: { kind: sqlite, file: ":memory:" }
sources: [{ name: user, kind: set, connection: features, key: "features:user:{userId}" }]
`,
      { TIDEGATE_ADMIN_TOKEN: admin },
    );
    const change = { changes: [{ source: "user", context: { userId: "1" }, add: ["b", "a"] }] };
    await fetch(`${service.url}/admin/v1/changes`, {
      method: "POST",
      headers: { ...bearer(admin), "content-type": "application/json" },
      body: JSON.stringify(change),
    });
    expect((await read(service, "features:user:1")).body).toEqual({
      key: "features:user:1",
      type: "set",
      value: ["a", "b"],
    });
    expect((await read(service, "features:user:2")).status).toBe(404);
  });

  it("rejects all keys without prefixes in the configuration", async () => {
    await using service = await startService("sources: [{ name: a, kind: static, features: { x: true } }]\n", {
      TIDEGATE_ADMIN_TOKEN: admin,
    });
    expect((await read(service, "a")).body["code"]).toBe("unknown-key");
  });
});
