import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  type Answered,
  answeredInTime,
  type Operator,
  redisRulesAt,
  sqliteRules,
  startOperator,
} from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { firstResult, until } from "../../../support/until.ts";

type Feature = { feature: string; state: string };
type Page = { features: Feature[]; next?: string };
const names = ({ features }: Page) => features.map(({ feature }) => feature);

/** Sources with rules beside the usual ones. */
const more = `
  - { name: rollout, kind: percentage, connection: features }
  - { name: times, kind: schedule, connection: features }
`;

describe.each(["redis", "sqlite"])("known features in %s", (store) => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator((store === "redis" ? redisRulesAt(redis.url) : sqliteRules) + more);
    await operator.post("/changes", {
      changes: [
        { source: "global", add: ["menu", "shop/cart:v2"] },
        { source: "active", add: ["menu", "beta"] },
        { source: "killed", add: ["shop/cart:v2"] },
        { source: "location", context: { location: "São Paulo" }, add: ["samba", "menu"] },
        { source: "location", context: { location: "madrid" }, add: ["menu"] },
        ...["1", "2", "3"].map((userId) => ({ source: "user", context: { userId }, add: ["beta", `own${userId}`] })),
      ],
    });
    await operator.put(
      "/catalogue/described",
      {},
      { description: "Only Described", owner: "Ana", tags: ["web", "x-ray"] },
    );
    await operator.put("/catalogue/menu", {}, { description: "The menu", tags: ["web"], archived: true });
    await operator.put("/sources/rollout/rules/quarter", {}, { percentage: 25 });
    await operator.put("/sources/rollout/rules/none", {}, { percentage: 0 });
    await operator.put("/sources/times/rules/soon", {}, { windows: [{ startsAt: "2100-01-01T00:00:00Z" }] });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const get = (path: string) => answeredInTime(() => operator.get(path));
  /** The first response in which the last change of some parts is known: the log has a change after the store has it. */
  const inLog = (path: string, partsOf: (response: Answered) => readonly { lastChange: object | null }[]) =>
    firstResult(
      () => get(path),
      (response) => partsOf(response).every(({ lastChange }) => lastChange !== null),
      "the log has the changes",
    );

  const all = [
    ...["always", "beta", "described", "menu", "never", "none", "own1", "own2", "own3", "quarter", "samba"],
    ...["shop/cart:v2", "soon"],
  ];

  it("are those that a source lists, and those in the catalogue", async () => {
    const { status, body } = await get("/features");
    expect(status).toBe(200);
    expect(names(body)).toEqual(all);
    expect([body.next, body.total, body.known]).toEqual([undefined, all.length, all.length]);
  });

  it("have a state over all contexts", async () => {
    const { features, counts } = (await get("/features")).body as Page & { counts: object };
    expect(Object.fromEntries(features.map(({ feature, state }) => [feature, state]))).toEqual({
      always: "on",
      beta: "on-for-some",
      described: "off",
      menu: "on",
      never: "off",
      none: "off",
      own1: "held",
      own2: "held",
      own3: "held",
      quarter: "on-for-some",
      samba: "on-for-some",
      "shop/cart:v2": "killed",
      soon: "scheduled",
    });
    expect(counts).toEqual({ killed: 1, unknown: 0, on: 2, "on-for-some": 3, held: 3, scheduled: 1, off: 3 });
  });

  it("change their state with the next request after a change", async () => {
    const stateOf = async (feature: string) => (await get(`/features/${feature}`)).body.state;
    for (const [change, path, state] of [
      ["put", "/sources/user/features/fresh?userId=9", "held"],
      ["put", "/sources/active/features/fresh", "on-for-some"],
      ["put", "/sources/location/features/fresh?location=oslo", "on-for-some"],
      ["delete", "/sources/user/features/fresh?userId=9", "on-for-some"],
      ["put", "/sources/global/features/fresh", "on"],
      ["put", "/killed/fresh", "killed"],
      ["delete", "/killed/fresh", "on"],
      ["delete", "/sources/global/features/fresh", "on-for-some"],
      ["delete", "/sources/location/features/fresh?location=oslo", "off"],
    ] as const) {
      expect((await operator[change](path)).status).toBe(200);
      expect([path, await stateOf("fresh")]).toEqual([path, state]);
    }
    await operator.delete("/sources/active/features/fresh");
  });

  it("show where they are on in each source", async () => {
    const { body } = await get("/features/menu");
    expect(body).toMatchObject({
      feature: "menu",
      on: {
        global: true,
        active: true,
        killed: false,
        user: { users: 0 },
        location: { location: ["São Paulo", "madrid"], complete: true },
      },
      killed: false,
      stale: false,
      catalogue: { description: "The menu", owner: "", tags: ["web"], archived: true, created: expect.any(String) },
    });
    expect((await get("/features/shop/cart:v2")).body).toMatchObject({ killed: true, catalogue: null });
    expect((await get("/features/beta")).body.on).toMatchObject({
      global: false,
      user: { users: 3 },
      location: { location: [], complete: true },
    });
    expect((await get("/features/never")).body.on).toMatchObject({ literal: false });
    expect((await get("/features/own2")).body.on).toMatchObject({ user: { users: 1 } });
    const { sources: _, audience: __, ...beta } = (await inLog("/features/beta", ({ body }) => [body])).body;
    const list = await inLog("/features", ({ body }) => [body.features[1]]);
    expect(list.body.features[1]).toEqual(beta);
  });

  it("show the part of each source, in the order in which they decide", async () => {
    onTestFinished(async () => void (await operator.delete("/sources/rollout/rules/beta")));
    await operator.put("/sources/rollout/rules/beta?note=carefully", {}, { percentage: 5 });
    type Part = { source: string; role: string; reach: string; result: string | null };
    const partOf = ({ body }: Answered, name: string) => body.sources.find(({ source }: Part) => source === name);
    const view = await inLog("/features/beta", (each) => ["user", "rollout"].map((name) => partOf(each, name)));
    const { body } = view;
    const part = (name: string) => partOf(view, name);
    expect(body.sources.map(({ source, role, reach, result }: Part) => [source, role, reach, result])).toEqual([
      ["global", "grant", "absent", "nobody"],
      ["user", "grant", "some", "some"],
      ["active", "gate", "everyone", null],
      ["location", "grant", "absent", "nobody"],
      ["literal", "grant", "absent", "nobody"],
      ["rollout", "grant", "some", "some"],
      ["times", "grant", "absent", "nobody"],
      ["killed", "veto", "absent", null],
    ]);
    expect(part("user")).toEqual({
      source: "user",
      kind: "set",
      role: "grant",
      gatedBy: ["active"],
      default: null,
      editable: "set",
      fields: ["userId"],
      on: { users: 3 },
      reach: "some",
      result: "some",
      state: "evaluated",
      stale: false,
      asOf: null,
      error: null,
      lastChange: { event: expect.any(String), at: expect.any(String), by: "admin", note: null, origin: "change" },
    });
    expect(part("active")).toMatchObject({ default: "deny", on: true, fields: [], asOf: expect.any(String) });
    expect(part("rollout")).toMatchObject({ editable: "rules", lastChange: { by: "admin", note: "carefully" } });
    expect(part("literal")).toMatchObject({ editable: null, on: null, lastChange: null });
    expect(body.audience).toEqual({
      everyone: false,
      users: 3,
      locations: [],
      shares: [{ source: "rollout", percentage: 5 }],
      rules: [],
    });
  });

  it("do not include unknown features", async () => {
    const { status, body } = await get("/features/nobody_knows");
    expect([status, body.code]).toEqual([404, "unknown-feature"]);
  });

  it.each([
    ["search=MENU", ["menu"]],
    ["search=the menu", ["menu"]],
    ["search=ana", ["described"]],
    ["search=x-ray", ["described"]],
    ["search=cart:", ["shop/cart:v2"]],
    ["search=%25", []],
    ["search=_", []],
    ["search='; DROP TABLE members; --", []],
    ["state=killed", ["shop/cart:v2"]],
    ["state=held&search=2", ["own2"]],
    ["state=unknown", []],
    ["owner=Ana", ["described"]],
    ["owner=ana", []],
    ["tag=web", ["described", "menu"]],
    ["tag=web&state=on", ["menu"]],
    ["source=rollout", ["none", "quarter"]],
    ["source=literal", ["always", "never"]],
    ["source=user", ["beta", "own1", "own2", "own3"]],
    ["source=global&state=killed", ["shop/cart:v2"]],
    ["source=nowhere", []],
    ["sort=-key&search=own", ["own3", "own2", "own1"]],
  ])("match the filter %s", async (query, expected) => {
    const { status, body } = await get(`/features?${query}`);
    expect([status, body.total]).toEqual([200, expected.length]);
    expect(names(body)).toEqual(expected);
  });

  it("are counted by state with the same filter, whatever state it selects", async () => {
    const { body } = await get("/features?tag=web&state=on");
    expect(body.counts).toEqual({ killed: 0, unknown: 0, on: 1, "on-for-some": 0, held: 0, scheduled: 0, off: 1 });
    expect([body.total, body.known]).toEqual([1, all.length]);
  });

  it("have owners, tags and sources that filters can name", async () => {
    const { body } = await get("/features/facets");
    expect(body).toEqual({
      owners: [{ value: "Ana", features: 1 }],
      tags: [
        { value: "web", features: 2 },
        { value: "x-ray", features: 1 },
      ],
      sources: [
        { value: "global", features: 2 },
        { value: "active", features: 2 },
        { value: "killed", features: 1 },
        { value: "user", features: 4 },
        { value: "location", features: 2 },
        { value: "literal", features: 2 },
        { value: "rollout", features: 2 },
        { value: "times", features: 1 },
      ],
    });
  });

  it("are paged in every order, even if a feature is removed between pages", async () => {
    for (const sort of ["key", "-key", "changed", "-changed", "evaluated", "-evaluated"]) {
      const first = await get(`/features?sort=${sort}`);
      const paged: string[] = [];
      for (let cursor = ""; ; ) {
        const { body } = await get(`/features?limit=4&sort=${sort}${cursor}`);
        paged.push(...names(body));
        if (!body.next) break;
        cursor = `&cursor=${body.next}`;
      }
      expect(paged).toEqual(names(first.body));
    }
    await operator.put("/sources/global/features/anew");
    const first = await get("/features?limit=2");
    expect(names(first.body)).toEqual(["always", "anew"]);
    await operator.delete("/sources/global/features/anew");
    expect(names((await get(`/features?limit=1&cursor=${first.body.next}`)).body)).toEqual(["beta"]);
  });

  it("reject a cursor of another filter or order", async () => {
    const { body } = await get("/features?limit=1&search=m");
    for (const query of ["search=x", "search=m&state=on", "search=m&sort=-key"]) {
      const forged = await get(`/features?limit=9&${query}&cursor=${body.next}`);
      expect([forged.status, forged.body.code]).toEqual([400, "invalid-cursor"]);
    }
    expect((await get(`/features?limit=1&search=m&cursor=${body.next}`)).status).toBe(200);
  });

  it("have their last change, by which they can be sorted", async () => {
    await operator.put("/sources/global/features/beta?note=TICKET-42");
    const lastOf = async () => (await get("/features?sort=-changed&limit=1")).body.features[0];
    await until(async () => (await lastOf()).lastChange?.note === "TICKET-42", "the log has the change");
    expect(await lastOf()).toMatchObject({
      feature: "beta",
      lastChange: { by: "admin", origin: "change", at: expect.any(String), event: expect.any(String) },
    });
    await operator.put("/catalogue/samba", {}, { description: "Dance" });
    await until(async () => (await lastOf()).feature === "samba", "the log has the description");
    await operator.delete("/catalogue/samba");
    await operator.delete("/sources/global/features/beta");
  });
});
