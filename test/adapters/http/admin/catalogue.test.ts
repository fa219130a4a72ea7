import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, redisRulesAt, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";

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
