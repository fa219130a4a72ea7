import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsSeen } from "../../../support/commands-seen.ts";
import { type Operator, redisRulesAt, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";

describe("several changes in one request", () => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator(
      `${redisRulesAt(redis.url)}  - { name: rollout, kind: percentage, connection: features }`,
    );
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const send = (changes: unknown, headers?: Record<string, string>, query = "") =>
    operator.post(`/changes${query}`, { changes }, headers);
  const user = (userId: string) => ({ source: "user", context: { userId } });

  it("are applied in order, each with its own result", async () => {
    const { status, body } = await send([
      { ...user("1"), add: ["a", "b//c"] },
      { ...user("1"), add: ["../x"] },
      { ...user("1"), add: ["c"], remove: ["c"] },
      { source: "nowhere", add: ["a"] },
      { source: "literal", add: ["a"] },
      { source: "location", add: ["a"] },
      { ...user("x".repeat(201)), add: ["a"] },
      { ...user("1"), add: ["c"], remove: ["a", "z"] },
    ]);
    expect(status).toBe(200);
    expect(body.results.map(({ status: each, code }: { status: number; code?: string }) => code ?? each)).toEqual([
      200,
      "invalid-feature-key",
      "validation-failed",
      "unknown-source",
      "not-changeable",
      "validation-failed",
      "validation-failed",
      200,
    ]);
    expect(body.results[0]).toMatchObject({
      source: "user",
      key: "features:user:1",
      added: ["a", "b//c"],
      removed: [],
    });
    expect(body.results[7]).toMatchObject({ added: ["c"], removed: ["a"] });
    expect(body.results[3]).toMatchObject({ status: 404, detail: expect.stringContaining("The sources are: global") });
    expect((await operator.get("/sources/user/features?userId=1")).body.features).toEqual(["b//c", "c"]);
  });

  it("each apply only at their revision", async () => {
    const { etag } = await operator.put("/sources/active/features/a");
    const ifRevision = etag?.slice(1, -1);
    const { body } = await send([
      { source: "active", add: ["b"], ifRevision },
      { source: "active", add: ["c"], ifRevision },
      { ...user("new"), add: ["c"], ifRevision: "none.0" },
    ]);
    expect(body.results.map(({ status }: { status: number }) => status)).toEqual([200, 412, 200]);
    const refused = await send([{ source: "active", add: ["b"] }], { "if-match": etag ?? "" });
    expect([refused.status, refused.body.code]).toEqual([400, "invalid-header"]);
  });

  it("apply once per Idempotency-Key, even two for one set", async () => {
    const changes = [
      { ...user("twice"), add: ["a"] },
      { ...user("twice"), add: ["b"], remove: ["a"] },
    ];
    const headers = { "idempotency-key": "bulk-1" };
    const [first, second] = await Promise.all([send(changes, headers), send(changes, headers)]);
    expect(first?.body.results).toMatchObject([
      { added: ["a"], removed: [] },
      { added: ["b"], removed: ["a"] },
    ]);
    expect(second?.body).toEqual(first?.body);
    expect((await send(changes, headers)).body).toEqual(first?.body);
    const other = await send(changes.toReversed(), headers);
    expect([other.status, other.body.code]).toEqual([422, "idempotency-key-reused"]);
  });

  it("support a dry run", async () => {
    const { body } = await send(
      [
        { ...user("tried"), add: ["a", "b"] },
        { source: "active", add: ["tried"] },
      ],
      {},
      "?dryRun=true",
    );
    expect(body.results).toMatchObject([
      { status: 200, dryRun: true, added: ["a", "b"], users: { count: null } },
      { status: 200, dryRun: true, added: ["tried"], users: { count: 0 } },
    ]);
    expect((await operator.get("/sources/user/features?userId=tried")).body.features).toEqual([]);
  });

  it("read the stores once for all of a dry run, with the impact of each", async () => {
    using commands = await commandsSeen(redis);
    const changes = Array.from({ length: 200 }, (_, index) => ({ source: "global", add: [`dry-${index}`] }));
    await send([{ source: "global", add: ["dry-7"] }]);
    let results: { added: string[]; impact: { gains: { everyone: boolean } } }[] = [];
    const seen = await commands.during(async () => {
      ({ results } = (await send(changes, {}, "?dryRun=true")).body);
    });
    expect(results.map(({ added }) => added.length)).toEqual(changes.map((_, index) => (index === 7 ? 0 : 1)));
    expect(results.map(({ impact }) => impact.gains.everyone)).toEqual(changes.map((_, index) => index !== 7));
    expect(seen.length).toBeLessThan(changes.length);
  });

  it("can be of rules and descriptions too", async () => {
    const changes = [
      { source: "rollout", feature: "mixed", rule: { percentage: 25 } },
      { feature: "mixed", catalogue: { description: "Mixed", owner: "ana", tags: ["a"] } },
      { source: "active", add: ["mixed"] },
      { source: "rollout", feature: "mixed", rule: { percentage: 101 } },
      { source: "active", feature: "mixed", rule: {} },
    ];
    const tried = await send(changes, {}, "?dryRun=true");
    expect(tried.body.results).toMatchObject([
      { status: 200, dryRun: true, rule: { percentage: 25 }, impact: { gains: { shares: [{ percentage: 25 }] } } },
      { status: 200, dryRun: true, source: "catalogue", catalogue: { owner: "ana" } },
      { status: 200, dryRun: true, impact: { source: "active" } },
      { status: 422, source: "rollout", code: "validation-failed" },
      { status: 409, source: "active", code: "not-changeable" },
    ]);
    expect((await operator.get("/catalogue/mixed")).status).toBe(404);
    const { body } = await send(changes);
    expect(body.results.map(({ status }: { status: number }) => status)).toEqual([200, 200, 200, 422, 409]);
    const [rule, entry] = body.results;
    expect((await operator.get("/sources/rollout/rules/mixed")).body).toMatchObject({
      rule: { percentage: 25 },
      revision: rule.revision,
    });
    expect((await operator.get("/catalogue/mixed")).etag).toBe(`"${entry.revision}"`);
    const removed = await send([
      { source: "rollout", feature: "mixed", rule: null, ifRevision: rule.revision },
      { feature: "mixed", catalogue: null, ifRevision: rule.revision },
      { feature: "mixed", catalogue: null },
    ]);
    expect(removed.body.results).toMatchObject([
      { status: 200, rule: null },
      { status: 412, source: "catalogue", code: "revision-mismatch" },
      { status: 200, catalogue: null },
    ]);
    expect((await operator.get("/catalogue/mixed")).status).toBe(404);
  });

  it.each([
    ["a rule and a description", { feature: "f", rule: {}, catalogue: {}, source: "active" }, "/catalogue"],
    ["a rule without a feature", { source: "active", rule: {} }, "/feature"],
    ["a rule without a source", { feature: "f", rule: {} }, "/source"],
    ["a description with a source", { source: "active", feature: "f", catalogue: {} }, "/source"],
    ["a feature of nothing", { source: "active", feature: "f" }, "/feature"],
    ["a rule and members", { source: "active", feature: "f", rule: {}, add: ["f"] }, "/add"],
    ["an invalid description", { feature: "f", catalogue: { tags: [""] } }, "/catalogue/tags/0"],
  ])("are all rejected if one has %s", async (_, change, pointer) => {
    const { status, body } = await send([{ source: "active", add: ["a"] }, change]);
    expect([status, body.errors[0].pointer]).toEqual([422, `/changes/1${pointer}`]);
  });

  it("can be 1,000 with 10,000 features", async () => {
    const changes = Array.from({ length: 1_000 }, (_, index) => ({
      ...user(`many-${index}`),
      add: Array.from({ length: 10 }, (_, feature) => `${"x".repeat(190)}${feature}`),
    }));
    // They are made in test/soak/large-lists.test.ts.
    const { status, body } = await send(changes, {}, "?dryRun=true");
    expect(status).toBe(200);
    expect(body.results.filter((result: { status: number }) => result.status === 200)).toHaveLength(1_000);
    for (const more of [
      [...changes, { source: "active", add: ["a"] }],
      [...changes.slice(1), { source: "active", add: Array.from({ length: 11 }, (_, index) => `f${index}`) }],
      [{ source: "active", add: Array.from({ length: 10_001 }, (_, index) => `f${index}`) }],
    ]) {
      const refused = await send(more);
      expect([refused.status, refused.body.code]).toEqual([422, "change-too-large"]);
    }
  });

  it.each([
    ["no changes", {}],
    ["another field", { changes: [], actor: "root" }],
    ["another field of a change", { changes: [{ source: "active", add: ["a"], actor: "root" }] }],
    ["another field of a context", { changes: [{ source: "user", context: { ip: "::1" }, add: ["a"] }] }],
    ["a change of nothing", { changes: [{ source: "active" }] }],
    ["no features", { changes: [{ source: "active", add: "a" }] }],
    ["no revision", { changes: [{ source: "active", add: ["a"], ifRevision: "x" }] }],
  ])("are all rejected if the body has %s", async (_, body) => {
    const refused = await operator.post("/changes", body);
    expect([refused.status, refused.body.code]).toEqual([422, "validation-failed"]);
    expect(refused.body.errors[0].pointer).toMatch(/^\//);
  });

  it("are not tried after a store fails", async () => {
    await using away = await startOperator(redisRulesAt("redis://127.0.0.1:1"));
    const { status, body } = await away.post("/changes", {
      changes: [
        { source: "active", add: ["a"] },
        { source: "literal", add: ["a"] },
      ],
    });
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { status: 503, code: "source-unavailable" },
      { status: 503, code: "source-unavailable" },
    ]);
  });
});
