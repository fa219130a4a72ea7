import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available, type Operator, redisRulesAt, sqliteRules, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { answerInTime, basic, bearer } from "../../../support/service.ts";
import { oddTokens } from "../../../support/unlikely.ts";
import { firstResult, until } from "../../../support/until.ts";

describe("users", () => {
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

  const get = (path: string) => available(() => operator.get(path));
  /** The response for a user once no store responds too late for a source. */
  const shown = (path: string) =>
    firstResult(
      () => get(path),
      ({ body }) => body.effective.missing.length === 0,
      "no source is missing",
    );

  it("name a key of the wrong type, with the fix", async () => {
    await redis.client.set("features:user:typed", "text");
    const { status, body } = await get("/users/typed");
    expect([status, body.code]).toEqual([503, "store-data-invalid"]);
    expect(body.detail).toContain("features:user:typed has the wrong type; fix it in Redis");
  });

  it("are returned with sets, features and tokens", async () => {
    await operator.put("/sources/user/features/menu?userId=ana@example.org");
    await operator.put("/sources/user/features/secret?userId=ana@example.org");
    await operator.put("/sources/active/features/menu");
    await operator.put("/sources/location/features/tapas?location=madrid");
    const { body: issued } = await operator.post("/users/ana@example.org/tokens");
    const { status, body } = await shown("/users/ana@example.org?location=madrid");
    expect([status, body]).toEqual([
      200,
      {
        userId: "ana@example.org",
        sets: [
          {
            source: "user",
            key: "features:user:ana@example.org",
            features: ["menu", "secret"],
            invalidMembers: 0,
            revision: expect.any(String),
          },
        ],
        effective: { features: ["always", "menu", "tapas"], missing: [] },
        tokens: [{ id: issued.id, issuedAt: expect.any(String), by: "admin" }],
      },
    ]);
    expect((await shown("/users/ana@example.org")).body.effective.features).toEqual(["always", "menu"]);
    expect((await shown("/users/nobody")).body).toMatchObject({
      sets: [{ features: [], revision: "none.0" }],
      effective: { features: ["always"] },
      tokens: [],
    });
  });

  it.each([".", "..", "~.", "a/b", "a/../b", "100%", "?#", "🎉 x"])("are found by the id %j", async (userId) => {
    const path = `/users/${encodeURIComponent(/^~*\.\.?$/.test(userId) ? `~${userId}` : userId)}`;
    const issued = await operator.post(`${path}/tokens`);
    expect([issued.status, issued.body.userId]).toEqual([201, userId]);
    expect((await get(path)).body).toMatchObject({ userId, tokens: [{ id: issued.body.id }] });
    expect((await operator.delete(`${path}/tokens/${issued.body.id}`)).status).toBe(200);
  });

  it("get tokens that are returned once and listed by id", async () => {
    const first = await operator.post("/users/issued/tokens");
    expect([first.status, first.body]).toEqual([
      201,
      { id: expect.any(String), userId: "issued", token: expect.stringMatching(/^[\w-]{43}$/), previousUserId: null },
    ]);
    expect(first.headers.get("cache-control")).toBe("no-store");
    const second = await operator.post("/users/issued/tokens", {});
    expect(second.body.token).not.toBe(first.body.token);
    await operator.put("/sources/user/features/menu?userId=issued");
    await operator.put("/sources/active/features/menu");
    for (const { body } of [first, second]) expect(await operator.current(body.token)).toEqual(["always", "menu"]);
    const list = await get("/users/issued/tokens");
    expect(list.body.tokens.map(({ id }: { id: string }) => id)).toEqual([first.body.id, second.body.id]);
    const whole = JSON.stringify([list.body, (await get("/users/issued")).body]);
    for (const { body } of [first, second]) expect(whole).not.toContain(body.token);
  });

  it("lose only their own token on a revocation by id", async () => {
    const { body: kept } = await operator.post("/users/revoker/tokens");
    const { body: lost } = await operator.post("/users/revoker/tokens");
    expect((await operator.delete(`/users/another/tokens/${lost.id}`)).body).toEqual({ revoked: false });
    expect((await answerInTime(operator.service, "/features", basic(lost.token))).status).toBe(200);
    const revoke = () => operator.delete(`/users/revoker/tokens/${lost.id}`, { "idempotency-key": "revoke-1" });
    expect((await revoke()).body).toEqual({ revoked: true });
    expect((await revoke()).body).toEqual({ revoked: true });
    expect((await operator.delete(`/users/revoker/tokens/${lost.id}`)).body).toEqual({ revoked: false });
    const isUnknown = async () => (await operator.service.get("/features", basic(lost.token))).status === 401;
    await until(isUnknown, "the token is unknown");
    expect((await answerInTime(operator.service, "/features", basic(kept.token))).status).toBe(200);
  });

  it("lose a token at once on a revocation by value", async () => {
    const { body } = await operator.post("/users/presenter/tokens", { token: "of-my-own" });
    expect(body).toMatchObject({ userId: "presenter", token: "of-my-own", previousUserId: null });
    expect((await answerInTime(operator.service, "/features", bearer("of-my-own"))).status).toBe(200);
    expect((await operator.post("/tokens/revoke", { token: "of-my-own" })).body).toEqual({
      revoked: true,
      userId: "presenter",
    });
    expect((await answerInTime(operator.service, "/features", bearer("of-my-own"))).status).toBe(401);
    expect((await operator.post("/tokens/revoke", { token: "of-my-own" })).body).toEqual({
      revoked: false,
      userId: null,
    });
  });

  it("can get the token of another user, who is named", async () => {
    await operator.post("/users/from/tokens", { token: "moving" });
    const { body } = await operator.post("/users/to/tokens", { token: "moving" });
    expect(body).toMatchObject({ userId: "to", previousUserId: "from" });
    expect((await get("/users/from/tokens")).body.tokens).toEqual([]);
  });

  it("get one token per Idempotency-Key, which must be in the request", async () => {
    const headers = { "idempotency-key": "issue-1" };
    const issue = () => operator.post("/users/idem/tokens", { token: "idem-token" }, headers);
    const [first, second] = await Promise.all([issue(), issue()]);
    expect([first?.status, second?.status, second?.body]).toEqual([201, 201, first?.body]);
    expect((await get("/users/idem/tokens")).body.tokens).toHaveLength(1);
    const other = await operator.post("/users/idem/tokens", { token: "other-token" }, headers);
    expect([other.status, other.body.code]).toEqual([422, "idempotency-key-reused"]);
    const generated = await operator.post("/users/idem/tokens", undefined, { "idempotency-key": "issue-2" });
    expect([generated.status, generated.body.code]).toEqual([422, "validation-failed"]);
    expect(generated.body.detail).toContain("cannot be returned twice");
  });

  it.each(oddTokens)("get the token %j, which works with Basic until it is revoked", async (token) => {
    const { service } = operator;
    expect((await operator.post("/users/1/tokens", { token })).body).toMatchObject({ userId: "1", token });
    expect((await answerInTime(service, "/features", basic(token))).status).toBe(200);
    expect((await operator.post("/tokens/revoke", { token })).status).toBe(200);
    expect((await answerInTime(service, "/features", basic(token))).status).toBe(401);
  });

  it.each([
    ["an empty token", { token: "" }],
    ["a token with a control character", { token: "a\nb" }],
    ["a token that is too long", { token: "x".repeat(513) }],
    ["a token that ends with a space", { token: "a " }],
    ["another field", { token: "fine", by: "root" }],
    ["a number", { token: 1 }],
  ])("cannot get %s", async (_, body) => {
    const refused = await operator.post("/users/1/tokens", body);
    expect([refused.status, refused.body.code]).toEqual([422, "validation-failed"]);
    expect((await operator.post("/tokens/revoke", body)).status).toBe(422);
  });

  it("with invalid ids are rejected", async () => {
    for (const path of [`/users/${"x".repeat(201)}`, `/users/${"x".repeat(201)}/tokens`]) {
      expect([path, (await get(path)).body.code]).toEqual([path, "validation-failed"]);
    }
    expect((await operator.post(`/users/${"x".repeat(201)}/tokens`)).status).toBe(422);
    expect((await get("/users/a%0Ab")).body.code).toBe("bad-path");
  });

  it("can have a slash in the id", async () => {
    await operator.put("/sources/user/features/menu?userId=a%2Fb");
    const { body } = await get("/users/a%2Fb");
    expect([body.userId, body.sets[0].features]).toEqual(["a/b", ["menu"]]);
  });

  it("have tokens that reject If-Match", async () => {
    const refused = await operator.post("/tokens/revoke", { token: "x" }, { "if-match": "*" });
    expect([refused.status, refused.body.code]).toEqual([400, "invalid-header"]);
  });
});

describe("without the section tokens", () => {
  it("issues no tokens, but returns users", async () => {
    await using operator = await startOperator(sqliteRules.replace(/^tokens:.*$/m, ""));
    const refused = await operator.post("/users/1/tokens");
    expect([refused.status, refused.body.code]).toEqual([409, "not-changeable"]);
    expect((await operator.get("/users/1")).body.tokens).toEqual([]);
  });
});
