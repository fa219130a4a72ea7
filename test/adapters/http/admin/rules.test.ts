import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { inRedis, kindsEnv, switchesRules } from "../../../support/switches.ts";
import { until } from "../../../support/until.ts";

const anyRevision = expect.stringMatching(/^[^"]+\.\d+$/);

describe("the rules of sources", () => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator(switchesRules(inRedis(redis.url)), kindsEnv);
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const put = (feature: string, rule: unknown, headers = {}, query = "") =>
    operator.put(`/sources/switches/rules/${feature}${query}`, headers, rule);
  const get = (path: string) => operator.get(`/sources/switches/rules${path}`);

  it("are at the URL that the list of sources names", async () => {
    const { sources } = (await operator.get("/sources")).body;
    expect(sources.map(({ rules }: { rules: unknown }) => rules)).toEqual([
      null,
      { connection: "features", collection: "switches" },
      null,
    ]);
    expect(sources[1].changeable).toBe(false);
  });

  it("take effect for clients at once", async () => {
    const kept = await put("new/menu", { on: true });
    expect([kept.status, kept.body]).toEqual([
      200,
      {
        source: "switches",
        feature: "new/menu",
        rule: { on: true, floors: [] },
        revision: anyRevision,
        valid: true,
      },
    ]);
    expect(kept.etag).toBe(`"${kept.body.revision}"`);
    expect(await operator.current()).toEqual(["always", "new/menu"]);
    const found = await get("/new/menu");
    expect([found.body, found.etag]).toEqual([kept.body, kept.etag]);
    await put("new/menu", { on: false });
    expect(await operator.current()).toEqual(["always"]);
    await put("new/menu", { on: true, floors: [1, 2], until: "spring" });
    expect(await operator.current()).toEqual(["always", "new/menu"]);
  });

  it("can be deleted, and deleted again", async () => {
    await put("gone", { on: true });
    const removed = await operator.delete("/sources/switches/rules/gone?note=over");
    expect(removed.body).toEqual({ source: "switches", feature: "gone", removed: true });
    expect(removed.etag).toMatch(/^".+\.2"$/);
    expect(await operator.current()).not.toContain("gone");
    expect((await get("/gone")).body).toMatchObject({ status: 404, code: "unknown-feature" });
    expect((await operator.delete("/sources/switches/rules/gone")).body.removed).toBe(false);
  });

  it("are rejected with all faults by pointer, and not stored", async () => {
    const { status, body } = await put("refused", { on: "yes", floors: [1, 99], until: "never", more: 1 });
    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(body.errors).toEqual(
      expect.arrayContaining([
        { pointer: "/on", detail: "is invalid (expected boolean)" },
        { pointer: "/floors/1", detail: "is too large (maximum: 9)" },
        { pointer: "/until", detail: "is not an end; set one, or omit it" },
        { pointer: "/more", detail: "is unknown; omit it" },
      ]),
    );
    expect(body.detail).toMatch(/; and 1 more\.$/);
    for (const odd of [null, [], '"on"', 1, {}]) expect((await put("refused", odd)).status).toBe(422);
    expect((await put("a b", { on: true })).body.code).toBe("invalid-feature-key");
    expect((await put("refused", "{")).body.code).toBe("invalid-json");
    expect((await get("/refused")).status).toBe(404);
  });

  it("do not exist for sources without rules and unknown sources", async () => {
    for (const [source, code] of [
      ["literal", "not-changeable"],
      ["killed", "not-changeable"],
      ["nobody", "unknown-source"],
    ]) {
      const path = `/sources/${source}/rules`;
      const answers = [
        await operator.get(path),
        await operator.get(`${path}/a`),
        await operator.put(`${path}/a`, {}, { on: true }),
        await operator.delete(`${path}/a`),
      ];
      expect(answers.map(({ body }) => body.code)).toEqual([code, code, code, code]);
    }
  });

  it("change only at the revision in If-Match", async () => {
    const never = { "if-match": '"none.0"' };
    const first = await put("guarded", { on: true }, never);
    expect(first.status).toBe(200);
    expect((await put("guarded", { on: false }, never)).body.code).toBe("revision-mismatch");
    const second = await put("guarded", { on: false }, { "if-match": first.etag });
    expect(second.status).toBe(200);
    expect((await put("guarded", { on: true }, { "if-match": first.etag })).status).toBe(412);
    expect((await put("unguarded", { on: true }, { "if-match": "*" })).status).toBe(412);
    expect((await put("guarded", { on: true }, { "if-match": "*" })).status).toBe(200);
    const stale = { "if-match": first.etag ?? "" };
    expect((await operator.delete("/sources/switches/rules/guarded", stale)).status).toBe(412);
    expect((await operator.delete("/sources/switches/rules/guarded?dryRun=true", stale)).status).toBe(412);
  });

  it("support a dry run", async () => {
    const tried = await put("tried", { on: true }, {}, "?dryRun=true");
    expect([tried.status, tried.etag, tried.body]).toEqual([
      200,
      null,
      {
        source: "switches",
        feature: "tried",
        rule: { on: true, floors: [] },
        dryRun: true,
        impact: expect.any(Object),
      },
    ]);
    expect((await put("tried", {}, {}, "?dryRun=true")).status).toBe(422);
    expect((await put("tried", { on: true }, { "if-match": '"e.1"' }, "?dryRun=true")).status).toBe(412);
    expect((await operator.delete("/sources/switches/rules/new/menu?dryRun=true")).body).toEqual({
      source: "switches",
      feature: "new/menu",
      removed: true,
      dryRun: true,
      impact: expect.any(Object),
    });
    expect(await operator.current()).toContain("new/menu");
    expect((await get("/tried")).status).toBe(404);
  });

  it("change once per Idempotency-Key", async () => {
    const headers = { "idempotency-key": "once" };
    const first = await put("once", { on: true }, headers);
    await put("once", { on: false });
    const again = await put("once", { on: true }, headers);
    expect([again.status, again.etag]).toEqual([200, first.etag]);
    expect((await get("/once")).body.rule.on).toBe(false);
    expect((await put("once", { on: false }, headers)).body.code).toBe("idempotency-key-reused");
  });

  it("are paged by code point, and searchable", async () => {
    for (const feature of ["page_c", "page_B", "page_a"]) await put(feature, { on: false });
    const names = ({ body }: { body: { rules: { feature: string }[] } }) => body.rules.map((each) => each.feature);
    const first = await get("?search=PAGE_&limit=2");
    expect(names(first)).toEqual(["page_B", "page_a"]);
    const second = await get(`?search=PAGE_&limit=2&cursor=${first.body.next}`);
    expect([names(second), second.body.next]).toEqual([["page_c"], undefined]);
    expect((await get(`?search=page_&cursor=${first.body.next}`)).body.code).toBe("invalid-cursor");
    expect(names(await get(""))).toEqual(expect.arrayContaining(["new/menu", "page_a"]));
    expect((await get("?search=nowhere")).body).toEqual({ rules: [] });
  });

  it("are recorded with actor and note", async () => {
    await put("recorded", { on: true }, {}, "?note=TICKET-7");
    const recorded = async () => {
      const path = "/events?component=features&feature=recorded";
      const answer = await operator.service.get(path, { authorization: `Bearer ${adminToken}` });
      return ((await answer.json()) as { events: { data: unknown; message: string; key: string }[] }).events;
    };
    await until(async () => (await recorded()).length > 0, "it is in the log");
    expect(await recorded()).toMatchObject([
      {
        message: "switches: recorded set",
        data: { type: "document", note: "TICKET-7", value: { on: true, floors: [] } },
      },
    ]);
  });
});
