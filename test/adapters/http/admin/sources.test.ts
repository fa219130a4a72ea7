import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, redisRulesAt, sqliteRules, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";

const anyRevision = expect.stringMatching(/^[^"]+\.\d+$/);

describe.each(["sqlite", "redis"])("the sets of sources over %s", (kind) => {
  let redis: RedisServer | undefined;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    if (kind === "redis") redis = await startRedis();
    operator = await startOperator(redis ? redisRulesAt(redis.url) : sqliteRules);
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  it("are listed with the fields that select one of them", async () => {
    const { body } = await operator.get("/sources");
    expect(body.sources.map(({ name }: { name: string }) => name)).toEqual([
      "global",
      "active",
      "killed",
      "user",
      "location",
      "literal",
    ]);
    expect(body.sources[3]).toEqual({
      name: "user",
      label: null,
      kind: "set",
      role: "grant",
      gatedBy: ["active"],
      default: null,
      changeable: true,
      key: "features:user:{userId}",
      fields: ["userId"],
      rules: null,
      faults: [],
    });
    expect(body.sources[5]).toMatchObject({ kind: "static", changeable: false, key: null, fields: [] });
  });

  it("add and remove features, and return the actual change", async () => {
    const put = await operator.put("/sources/global/features/new_menu");
    expect([put.status, put.body]).toEqual([
      200,
      { source: "global", key: "global_features", added: ["new_menu"], removed: [], revision: anyRevision },
    ]);
    expect(put.etag).toBe(`"${put.body.revision}"`);
    expect((await operator.put("/sources/global/features/new_menu")).body.added).toEqual([]);
    expect((await operator.get("/sources/global/features/new_menu")).body).toEqual({
      source: "global",
      key: "global_features",
      feature: "new_menu",
      on: true,
    });
    const gone = await operator.delete("/sources/global/features/new_menu");
    expect([gone.status, gone.body.removed]).toEqual([200, ["new_menu"]]);
    expect((await operator.get("/sources/global/features/new_menu")).body.on).toBe(false);
    expect((await operator.delete("/sources/global/features/new_menu")).body.removed).toEqual([]);
  });

  it("exist for each configured source, by context", async () => {
    await operator.put("/sources/location/features/samba?location=S%C3%A3o%20Paulo");
    const { body, etag } = await operator.get("/sources/location/features?location=S%C3%A3o%20Paulo");
    expect(body).toEqual({
      source: "location",
      key: "location:São%20Paulo",
      features: ["samba"],
      invalidMembers: 0,
      revision: anyRevision,
    });
    expect(etag).toBe(`"${body.revision}"`);
    expect(await operator.current(undefined, "?location=S%C3%A3o%20Paulo")).toContain("samba");
    await operator.put("/sources/user/features/samba?userId=100%25%2F1");
    expect((await operator.get("/sources/user/features?userId=100%25%2F1")).body).toMatchObject({
      key: "features:user:100%25/1",
      features: ["samba"],
    });
  });

  it("accept keys with slashes and colons", async () => {
    for (const feature of ["shop/new:menu", "a/b/c", "a.b:c-d_e"]) {
      expect((await operator.put(`/sources/active/features/${feature}`)).body.added).toEqual([feature]);
      expect((await operator.get(`/sources/active/features/${feature}`)).body).toMatchObject({ feature, on: true });
      expect((await operator.delete(`/sources/active/features/${encodeURI(feature)}`)).body.removed).toEqual([feature]);
    }
  });

  it("take effect for the next call to the same instance", async () => {
    expect(await operator.current()).not.toContain("at_once_0");
    for (let index = 0; index < 50; index++) {
      const feature = `at_once_${index}`;
      await operator.put(`/sources/global/features/${feature}`);
      expect(await operator.current()).toContain(feature);
      await operator.delete(`/sources/global/features/${feature}`);
      expect(await operator.current()).not.toContain(feature);
    }
  });

  it("change only at the revision in If-Match, and return the next one", async () => {
    const path = "/sources/user/features/careful?userId=careful";
    const fresh = await operator.get("/sources/user/features?userId=careful");
    expect(fresh.etag).toBe('"none.0"');
    const first = await operator.put(path, { "if-match": '"none.0"' });
    expect(first.status).toBe(200);
    const stale = await operator.delete(path, { "if-match": '"none.0"' });
    expect([stale.status, stale.body.code]).toEqual([412, "revision-mismatch"]);
    const several = await operator.delete(path, { "if-match": `"none.0", "other.7" , ${first.etag}` });
    expect([several.status, several.body.removed]).toEqual([200, ["careful"]]);
    expect((await operator.put(path, { "if-match": `${first.etag}` })).status).toBe(412);
    expect((await operator.put(path, { "if-match": `"other.1", ${first.etag}` })).status).toBe(412);
    expect((await operator.put(path, { "if-match": `W/${several.etag}` })).status).toBe(412);
    expect((await operator.put(path, { "if-match": '"x"' })).status).toBe(412);
    expect((await operator.put(path, { "if-match": "*" })).status).toBe(200);
  });

  it("let one of several concurrent changes of a revision win", async () => {
    const { etag } = await operator.put("/sources/user/features/start?userId=raced");
    const tries = Array.from({ length: 20 }, (_, index) =>
      operator.put(`/sources/user/features/f${index}?userId=raced`, { "if-match": etag ?? "" }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(19);
    expect((await operator.get("/sources/user/features?userId=raced")).body.features).toHaveLength(2);
  });

  it("change once per Idempotency-Key, even concurrently", async () => {
    const headers = { "idempotency-key": "job-1" };
    const same = Array.from({ length: 10 }, () => operator.put("/sources/user/features/once?userId=once", headers));
    const answers = await Promise.all(same);
    for (const { status, body, etag } of answers) {
      expect([status, body, etag]).toEqual([200, answers[0]?.body, answers[0]?.etag]);
    }
    expect(answers[0]?.body.added).toEqual(["once"]);
    await operator.delete("/sources/user/features/once?userId=once");
    expect((await operator.put("/sources/user/features/once?userId=once", headers)).body).toEqual(answers[0]?.body);
    expect((await operator.get("/sources/user/features/once?userId=once")).body.on).toBe(false);
  });

  it.each([
    ["another feature", "PUT", "/sources/user/features/other?userId=reused", {}],
    ["another set", "PUT", "/sources/user/features/first?userId=reused2", {}],
    ["another source", "PUT", "/sources/global/features/first", {}],
    ["another method", "DELETE", "/sources/user/features/first?userId=reused", {}],
    ["another condition", "PUT", "/sources/user/features/first?userId=reused", { "if-match": "*" }],
    ["a kill", "PUT", "/killed/first", {}],
  ])("reject an Idempotency-Key of another request: %s", async (_, method, path, more) => {
    const headers = { "idempotency-key": "reused key!".replace(" ", "-") };
    await operator.put("/sources/user/features/first?userId=reused", headers);
    const refused = await (method === "PUT" ? operator.put : operator.delete)(path, { ...headers, ...more });
    expect([refused.status, refused.body.code]).toEqual([422, "idempotency-key-reused"]);
    expect((await operator.get("/killed")).body.features).toEqual([]);
  });

  it("support a dry run, which counts the users with the feature", async () => {
    for (const user of ["t1", "t2"]) await operator.put(`/sources/user/features/tried?userId=${user}`);
    const before = await operator.get("/sources/active/features");
    const tried = await operator.put("/sources/active/features/tried?dryRun=true", { "idempotency-key": "trial" });
    expect([tried.status, tried.etag, tried.body]).toEqual([
      200,
      null,
      {
        source: "active",
        key: "active_features",
        added: ["tried"],
        removed: [],
        dryRun: true,
        users: { count: 2 },
        impact: expect.any(Object),
      },
    ]);
    expect((await operator.get("/sources/active/features")).body).toEqual(before.body);
    const real = await operator.put("/sources/active/features/tried?dryRun=false", { "idempotency-key": "trial" });
    expect(real.body).toMatchObject({ added: ["tried"], revision: anyRevision });
    const stale = await operator.delete("/sources/active/features/tried?dryRun=true", {
      "if-match": before.etag ?? "",
    });
    expect(stale.status).toBe(412);
    const gone = await operator.delete("/sources/active/features/tried?dryRun=true");
    expect(gone.body).toMatchObject({ removed: ["tried"], dryRun: true, users: { count: 2 } });
    expect((await operator.get("/sources/active/features/tried")).body.on).toBe(true);
  });

  it("cannot exceed the member limit of their source", async () => {
    const add = Array.from({ length: 100 }, (_, index) => `full_${index}`);
    const { body } = await operator.post("/changes", { changes: [{ source: "global", add }] });
    expect(body.results[0].status).toBe(200);
    const refused = await operator.put("/sources/global/features/one_more");
    expect([refused.status, refused.body.code]).toEqual([422, "change-too-large"]);
    expect(refused.body.detail).toContain("more than 100 members");
    await operator.post("/changes", { changes: [{ source: "global", remove: add }] });
  });
});
