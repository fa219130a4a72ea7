import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createLog } from "../../src/infrastructure/logger.ts";
import { connectRedis } from "../../src/infrastructure/redis/redis-connection.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { cached, commandsSeen, readsIn } from "../support/commands-seen.ts";
import { instant } from "../support/instant.ts";
import { adminToken, operatorOf } from "../support/operator.ts";
import { startRedis } from "../support/redis.ts";
import { bearer, startService, type TestService } from "../support/service.ts";
import { changeOf } from "../support/stores.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { tidegate } from "../support/tidegate.ts";
import { until } from "../support/until.ts";

const rules = (connection: string): string => `
connections: { store: ${connection} }
tokens: { connection: store, layout: plain }
sources: [{ name: place, kind: set, connection: store, key: "location:{location}" }]
locators:
  - kind: query
  - { kind: user, connection: store }
`;
const env = { TIDEGATE_ADMIN_TOKEN: adminToken };

const featuresOf = async (service: TestService, token = "one") => {
  const answer = await service.get("/features", bearer(token));
  const { active_features } = (await answer.json()) as { active_features: readonly string[] };
  return { features: active_features, mark: answer.headers.get("cache-status") };
};
const gets = (service: TestService, ...features: readonly string[]) =>
  until(async () => (await featuresOf(service)).features?.join() === features.join(), `user 1 gets ${features}`);

describe("the stored location of a user in Redis", () => {
  it("locates the user, takes effect at once, and is available during a Redis outage", async () => {
    await using redis = await startRedis();
    await using proxy = await TcpProxy.to(redis.port);
    const { client } = redis;
    await client.mset("token:one", "1", "token:two", "2", "location:user:1", "es/madrid");
    for (const [place, feature] of [
      ["es", "siesta"],
      ["es/madrid", "metro"],
      ["pt", "fado"],
    ] as const)
      await client.sadd(`location:${place}`, feature);
    await using service = await startService(rules(`{ kind: redis, url: "redis://127.0.0.1:${proxy.port}" }`), env);
    const operator = operatorOf(service);
    await gets(service, "metro", "siesta");
    expect(await operator.current("one", "?location=pt")).toEqual(["fado"]);
    expect(await operator.current("two")).toEqual([]);
    expect((await operator.post("/explain", { user: "1" })).body).toMatchObject({
      locations: ["es/madrid", "es"],
      locatedBy: "user",
    });

    await client.set("location:user:1", "pt");
    await gets(service, "fado");
    await client.del("location:user:1");
    await gets(service);
    await client.sadd("location:user:1", "pt", "es");
    await gets(service, "fado", "siesta");

    using commands = await commandsSeen(redis);
    const calls = async () => {
      for (const token of ["one", "one", "two"]) await featuresOf(service, token);
    };
    await cached(commands, calls);
    expect(readsIn(await commands.during(calls))).toEqual([]);

    proxy.cut();
    await until(async () => (await featuresOf(service)).mark !== null, "answers are marked");
    expect((await featuresOf(service)).features).toEqual(["fado", "siesta"]);
    expect((await service.get("/features", bearer("two"))).status).toBe(200);
  });

  it("is read, exported and imported by the command line, whether it is a string or a set", async () => {
    await using redis = await startRedis();
    await redis.client.set("location:user:1", "es/madrid");
    await redis.client.sadd("location:user:2", "pt", "es");
    await redis.client.sadd("location:es", "siesta");
    const folder = mkdtempSync(join(tmpdir(), "tidegate-user-places-"));
    const file = join(folder, "tidegate.yaml");
    const config = (database: number) =>
      writeFileSync(file, rules(`{ kind: redis, url: "${redis.url.replace(/\/\d*$/, "")}/${database}" }`));
    config(0);
    for (const user of ["1", "2"]) {
      expect(await tidegate(["evaluate", "--user", user, "-c", file])).toMatchObject({ stdout: "siesta\n", code: 0 });
    }
    const exported = await tidegate(["export", "-c", file]);
    expect(exported.stderr).toContain("stored locations of users 2");
    expect(exported.stdout.trim().split("\n").slice(1).toSorted()).toEqual([
      '{"set":"location:es","features":["siesta"]}',
      '{"set":"location:user:1","features":["es/madrid"]}',
      '{"set":"location:user:2","features":["es","pt"]}',
    ]);
    config(1);
    expect((await tidegate(["import", "-", "-c", file], {}, exported.stdout)).code).toBe(0);
    expect((await tidegate(["sets", "list", "location:user:1", "-c", file])).stdout).toBe("es/madrid\n");
    rmSync(folder, { recursive: true });
  });

  it("is an error while its key has another type, not an absent location", async () => {
    await using redis = await startRedis();
    await redis.client.set("token:one", "1");
    await redis.client.lpush("location:user:1", "pt");
    await using service = await startService(rules(`{ kind: redis, url: "${redis.url}" }`), env);
    expect((await service.get("/features", bearer("one"))).status).toBe(503);
    expect((await service.get("/features")).status).toBe(200);
  });
});

describe("the stored location of a user at a past time", () => {
  it.each(["Redis", "SQLite"])("is the recorded one, and unknown without a record, on %s", async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-past-places-"));
    await using redis = kind === "Redis" ? await startRedis() : undefined;
    const file = join(folder, "store.db");
    const yaml = rules(redis ? `{ kind: redis, url: "${redis.url}" }` : `{ kind: sqlite, file: "${file}" }`);
    const everyone = "{ name: everyone, kind: static, features: { menu: true } }";
    await using store = redis ? connectRedis("store", redis.url, createLog("silent")) : openSqlite("store", file);
    await store.connected();
    await using service = await startService(yaml.replace('" }]', `" }, ${everyone}]`), env);
    const operator = operatorOf(service);
    await operator.put("/sources/place/features/fado?location=pt");
    await operator.put("/sources/place/features/siesta?location=es");
    const at = async (instant: number) => {
      const path = `/features?user=1&at=${new Date(instant).toISOString()}`;
      let result: readonly (readonly string[] | string | null | undefined)[] = [];
      await until(async () => {
        const answer = await service.get(path, bearer(adminToken));
        const { active_features } = (await answer.json()) as { active_features?: readonly string[] };
        result = [active_features, answer.headers.get("cache-status")];
        return answer.status !== 503;
      }, "the history is read in time");
      return result;
    };
    await until(async () => (await at(Date.now() - 1))[0] !== undefined, "the sets are recorded");
    const before = await instant();
    await store.changes.apply(changeOf("location:user:1", { add: ["pt"] }));
    const inPortugal = await instant();
    await store.changes.apply(changeOf("location:user:1", { add: ["es"], remove: ["pt"] }));
    const inSpain = await instant();
    const incomplete = 'tidegate; fwd=miss; detail="incomplete: place"';
    expect(await at(before)).toEqual([["menu"], incomplete]);
    expect(await at(inPortugal)).toEqual([["fado", "menu"], null]);
    expect(await at(inSpain)).toEqual([["menu", "siesta"], null]);
    expect((await operator.post("/explain", { user: "1", at: new Date(before).toISOString() })).body).toMatchObject({
      sources: [
        { name: "place", state: "no-history" },
        { name: "everyone", state: "evaluated" },
      ],
    });
    if (redis) {
      await redis.client.sadd("location:user:1", "pt");
      await until(async () => (await at(inSpain))[1] === incomplete, "an outside change is noticed");
      expect(await at(inSpain)).toEqual([["menu"], incomplete]);
    }
    rmSync(folder, { recursive: true });
  });
});

describe("the stored location of a user in SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-user-places-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is a set, which the command line can change", async () => {
    const file = join(folder, "store.db");
    await using store = openSqlite("store", file);
    await using service = await startService(rules(`{ kind: sqlite, file: "${file}" }`), env);
    const operator = operatorOf(service);
    await operator.post("/users/1/tokens", { token: "one" });
    await operator.put("/sources/place/features/fado?location=pt");
    await gets(service);
    await store.changes.apply(changeOf("location:user:1", { add: ["pt"] }));
    await gets(service, "fado");
    await store.changes.apply(changeOf("location:user:1", { remove: ["pt"] }));
    await gets(service);
  });
});
