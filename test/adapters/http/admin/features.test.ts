import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, redisRulesAt, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";

type Page = { features: { feature: string }[]; next?: string };
const names = ({ features }: Page) => features.map(({ feature }) => feature);

describe("known features", () => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator(redisRulesAt(redis.url));
    await operator.post("/changes", {
      changes: [
        { source: "global", add: ["menu", "shop/cart:v2"] },
        { source: "active", add: ["menu", "beta"] },
        { source: "killed", add: ["shop/cart:v2"] },
        { source: "location", context: { location: "São Paulo" }, add: ["samba", "menu"] },
        { source: "location", context: { location: "madrid" }, add: ["menu"] },
        ...["1", "2", "3"].map((userId) => ({ source: "user", context: { userId }, add: ["beta", `own_${userId}`] })),
      ],
    });
    await operator.put(
      "/catalogue/described",
      {},
      { description: "Only Described", owner: "Ana", tags: ["web", "x-ray"] },
    );
    await operator.put("/catalogue/menu", {}, { description: "The menu", archived: true });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  it("are those in shared sets, other sources and the catalogue", async () => {
    const { status, body } = await operator.get("/features");
    expect(status).toBe(200);
    expect(names(body)).toEqual(["always", "beta", "described", "menu", "never", "samba", "shop/cart:v2"]);
    expect(body.next).toBeUndefined();
  });

  it("have their state in each source", async () => {
    const { body } = await operator.get("/features/menu");
    expect(body).toEqual({
      feature: "menu",
      on: {
        global: true,
        active: true,
        killed: false,
        user: { users: 0 },
        location: { location: ["São Paulo", "madrid"], complete: true },
      },
      killed: false,
      catalogue: { description: "The menu", owner: "", tags: [], archived: true, created: expect.any(String) },
    });
    expect((await operator.get("/features/shop/cart:v2")).body).toMatchObject({ killed: true, catalogue: null });
    expect((await operator.get("/features/beta")).body.on).toMatchObject({
      global: false,
      user: { users: 3 },
      location: { location: [], complete: true },
    });
    expect((await operator.get("/features/never")).body.on).toMatchObject({ literal: false });
    expect((await operator.get("/features/own_2")).body.on).toMatchObject({ user: { users: 1 } });
    const all = (await operator.get("/features")).body.features;
    expect(all[1]).toEqual((await operator.get("/features/beta")).body);
  });

  it("do not include unknown features", async () => {
    const { status, body } = await operator.get("/features/nobody_knows");
    expect([status, body.code]).toEqual([404, "unknown-feature"]);
  });

  it.each([
    ["MENU", ["menu"]],
    ["the menu", ["menu"]],
    ["ana", ["described"]],
    ["x-ray", ["described"]],
    ["cart:", ["shop/cart:v2"]],
    ["%", []],
    ["_", []],
    ["'; DROP TABLE members; --", []],
  ])("match %j in key, description, owner and tags, regardless of case", async (search, expected) => {
    const { body } = await operator.get(`/features?search=${encodeURIComponent(search)}`);
    expect(names(body)).toEqual(expected);
  });

  it("are paged, even if a feature is removed between pages", async () => {
    const pages: string[][] = [];
    let path = "/features?limit=3";
    while (path) {
      const { body } = await operator.get(path);
      pages.push(names(body));
      path = body.next ? `/features?limit=3&cursor=${body.next}` : "";
    }
    expect(pages).toEqual([["always", "beta", "described"], ["menu", "never", "samba"], ["shop/cart:v2"]]);
    await operator.put("/sources/global/features/anew");
    const first = await operator.get("/features?limit=2");
    expect(names(first.body)).toEqual(["always", "anew"]);
    await operator.delete("/sources/global/features/anew");
    expect(names((await operator.get(`/features?limit=1&cursor=${first.body.next}`)).body)).toEqual(["beta"]);
    const found = await operator.get("/features?limit=1&search=m");
    expect(names((await operator.get(`/features?limit=9&search=m&cursor=${found.body.next}`)).body)).toEqual(["samba"]);
    const forged = await operator.get(`/features?limit=9&search=x&cursor=${found.body.next}`);
    expect([forged.status, forged.body.code]).toEqual([400, "invalid-cursor"]);
  });
});

describe("the catalogue", () => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator(redisRulesAt(redis.url));
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  it("stores descriptions and the time of the first one", async () => {
    const before = Date.now();
    const first = await operator.put("/catalogue/a/b", {}, { description: "One", owner: "ana", tags: ["x", "x", "y"] });
    expect([first.status, first.body]).toEqual([
      200,
      { description: "One", owner: "ana", tags: ["x", "y"], archived: false, created: expect.any(String) },
    ]);
    expect(Date.parse(first.body.created)).toBeGreaterThanOrEqual(before);
    const read = await operator.get("/catalogue/a/b");
    expect([read.body, read.etag]).toEqual([first.body, first.etag]);
    const second = await operator.put("/catalogue/a/b", { "if-match": first.etag ?? "" }, { archived: true });
    expect(second.body).toEqual({ description: "", owner: "", tags: [], archived: true, created: first.body.created });
    expect((await operator.put("/catalogue/a/b", { "if-match": first.etag ?? "" }, {})).status).toBe(412);
    expect(await operator.features()).toEqual(["always"]);
  });

  it("deletes descriptions, and checks If-Match", async () => {
    expect((await operator.put("/catalogue/f", { "if-match": "*" }, {})).status).toBe(412);
    await operator.put("/catalogue/f", { "if-match": '"none.0"' }, {});
    expect((await operator.put("/catalogue/f", { "if-match": '"none.0"' }, {})).status).toBe(412);
    expect((await operator.delete("/catalogue/f?dryRun=true")).body).toEqual({ feature: "f", removed: true });
    const headers = { "if-match": "*", "idempotency-key": "forget" };
    expect((await operator.delete("/catalogue/f", headers)).body).toEqual({ feature: "f", removed: true });
    expect((await operator.delete("/catalogue/f", headers)).body).toEqual({ feature: "f", removed: true });
    expect((await operator.delete("/catalogue/f")).body).toEqual({ feature: "f", removed: false });
    expect((await operator.get("/catalogue/f")).body.code).toBe("unknown-feature");
  });

  it("supports a dry run", async () => {
    const tried = await operator.put("/catalogue/tried?dryRun=true", {}, { description: "No" });
    expect(tried.body).toMatchObject({ description: "No" });
    expect((await operator.get("/catalogue/tried")).status).toBe(404);
  });

  it.each([
    ["a description that is too long", { description: "x".repeat(2_001) }],
    ["an owner that is too long", { owner: "x".repeat(201) }],
    ["too many tags", { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }],
    ["an empty tag", { tags: [""] }],
    ["a date of creation", { created: "2020-01-01T00:00:00.000Z" }],
    ["an actor", { actor: "root" }],
    ["no object", []],
  ])("rejects %s", async (_, body) => {
    const refused = await operator.put("/catalogue/refused", {}, body);
    expect([refused.status, refused.body.code]).toEqual([422, "validation-failed"]);
  });

  it("rejects invalid feature keys", async () => {
    const refused = await operator.put(`/catalogue/${"x".repeat(1_025)}`, {}, {});
    expect([refused.status, refused.body.code]).toEqual([422, "invalid-feature-key"]);
  });
});

describe("an entry that was written outside Tidegate", () => {
  it("is omitted if it is invalid", async () => {
    await using redis = await startRedis();
    await using operator = await startOperator(redisRulesAt(redis.url));
    await operator.put("/catalogue/a", {}, { description: "fine" });
    const [key = ""] = await redis.client.keys("tidegate:documents:catalogue");
    const entry = JSON.parse((await redis.client.hget(key, "a")) ?? "");
    await redis.client.hset(key, "b", JSON.stringify({ ...entry, value: { description: 1 } }));
    expect((await operator.get("/features?search=b")).body.features).toEqual([]);
    expect((await operator.get("/catalogue/b")).status).toBe(404);
  });
});
