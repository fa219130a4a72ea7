import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instantText } from "../../../support/instant.ts";
import { type Operator, redisRulesAt, sqliteRules, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

const more = `
  - { name: evenings, kind: schedule, connection: features }
  - { name: flags, kind: flagd, connection: features }
context:
  attributes: { plan: { query: plan } }
`;

type Row = {
  feature: string;
  kind: string;
  events: { event: string; by: string; source: string; note: string | null }[];
  deciding: string | null;
};

describe.each(["redis", "sqlite"])("explanations for the page in %s", (store) => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  let before: string;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator((store === "redis" ? redisRulesAt(redis.url) : sqliteRules) + more);
    await operator.post("/changes", {
      changes: [
        { source: "global", add: ["menu"] },
        { source: "active", add: ["beta", "gamma"] },
        { source: "user", context: { userId: "1" }, add: ["beta", "held"] },
        { source: "user", context: { userId: "2" }, add: ["gamma"] },
        { source: "location", context: { location: "es" }, add: ["tapas"] },
      ],
    });
    await operator.put("/catalogue/described", {}, { description: "Only described" });
    await operator.put(
      "/sources/evenings/rules/happy_hour",
      {},
      {
        windows: [{ recurrence: "FREQ=WEEKLY;BYDAY=FR", from: "18:00", to: "20:00", timeZone: "Europe/Madrid" }],
      },
    );
    await operator.put(
      "/sources/flags/rules/theme",
      {},
      {
        state: "ENABLED",
        variants: { light: "light", dark: "dark" },
        defaultVariant: "light",
        targeting: { if: [{ "==": [{ var: "plan" }, "gold"] }, "dark", "light"] },
      },
    );
    await until(async () => {
      before = new Date(Date.now() - 1).toISOString();
      return (await summary({ user: "1", location: "es", at: before })).context.incomplete.length === 0;
    }, "the history of all sources has begun");
    await operator.put("/killed/menu?note=crashes");
    await operator.put("/sources/user/features/gamma?userId=1");
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const summary = async (body: object, query = "") => (await operator.post(`/explain/summary${query}`, body)).body;
  const onFor = async (body: object) =>
    (await summary(body, "?on=true")).features.map(({ feature }: { feature: string }) => feature);

  it("summarize all known features for a user, in one sentence each", async () => {
    const { features, context, counts, total } = await summary({ user: "1" });
    const found = Object.fromEntries(features.map((each: { feature: string }) => [each.feature, each]));
    expect(Object.keys(found)).toEqual([
      ...["always", "beta", "described", "gamma", "happy_hour", "held", "menu", "never", "tapas", "theme"],
    ]);
    expect(found["beta"]).toEqual({
      feature: "beta",
      on: true,
      value: true,
      variant: null,
      message: 'on: grant "user" (features:user:1), gate "active" allows it',
      decidedBy: ["user", "active"],
    });
    expect(found["held"].message).toBe('off: grant "user" (features:user:1), but gate "active" denies it');
    expect(found["menu"].message).toBe('off: veto "killed" (tidegate:killed)');
    expect(found["described"].message).toBe("off: no source grants it");
    expect([context.user, counts, total]).toEqual(["1", { on: 4, off: 6, undetermined: 0 }, 10]);
    const { body } = await operator.post("/explain", { user: "1", features: Object.keys(found) });
    for (const { feature, on, message } of body.features) expect(found[feature]).toMatchObject({ on, message });
  });

  it("filter by state and text, and continue on the next page", async () => {
    const first = await summary({ user: "1" }, "?on=false&limit=4");
    expect(first.features.map((each: { feature: string }) => each.feature)).toEqual([
      ...["described", "happy_hour", "held", "menu"],
    ]);
    const second = await summary({ user: "1" }, `?on=false&limit=4&cursor=${first.next}`);
    expect([second.features.length, second.next, second.total]).toEqual([2, undefined, 6]);
    const search = await summary({ user: "1" }, "?search=HE");
    expect([search.total, search.counts]).toEqual([2, { on: 1, off: 1, undetermined: 0 }]);
    const other = await operator.post(`/explain/summary?on=false&limit=4&cursor=${first.next}`, { user: "2" });
    expect([other.status, other.body.code]).toEqual([400, "invalid-cursor"]);
  });

  it("take location, attributes and a future time as inputs", async () => {
    expect(await onFor({ user: "1", location: "es/madrid" })).toContain("tapas");
    expect(await onFor({ user: "1", location: "es", at: "2030-02-01T19:00:00+01:00" })).toContain("happy_hour");
    expect(await onFor({ user: "1", location: "es", at: "2030-02-02T19:00:00+01:00" })).not.toContain("happy_hour");
    const theme = (await summary({ attributes: { plan: "gold" } }, "?search=theme")).features[0];
    expect(theme).toMatchObject({ on: true, value: "dark", variant: "dark" });
  });

  it("take a past time", async () => {
    expect(await onFor({ user: "1", at: before })).toContain("menu");
    expect(await onFor({ user: "1" })).not.toContain("menu");
  });

  it("accept a token in the body, and reject an unknown one", async () => {
    const { token } = (await operator.post("/users/2/tokens")).body;
    expect((await summary({ token })).context.user).toBe("2");
    const unknown = await operator.post("/compare", { a: { user: "1" }, b: { token: "nobody" } });
    expect([unknown.status, unknown.body.errors[0].pointer]).toEqual([422, "/b/token"]);
  });

  const compared = async (a: object, b: object) => {
    const { status, body } = await operator.post("/compare", { a, b });
    expect(status).toBe(200);
    return { ...body, rows: new Map(body.features.map((row: Row) => [row.feature, row])) as Map<string, Row> };
  };

  it("compare two times, with the events between them", async () => {
    const { rows, differing, same, a, b } = await compared({ user: "1", at: before }, { user: "1" });
    expect([...rows].map(([feature, { kind }]) => [feature, kind])).toEqual([
      ["gamma", "turned-on"],
      ["menu", "turned-off"],
    ]);
    expect(rows.get("menu")?.events).toMatchObject([{ by: "admin", source: "killed", note: "crashes" }]);
    expect(rows.get("gamma")?.events).toMatchObject([{ by: "admin", source: "user" }]);
    expect([differing, a.state, b.state]).toEqual([2, "history", "current"]);
    expect(differing + same).toBe((await summary({ user: "1" })).total);
  });

  it("compare with a time before the history", async () => {
    const { rows, differing, same } = await compared({ user: "1", at: "2000-01-01T00:00:00Z" }, { user: "1" });
    expect(new Set(Array.from(rows.values(), ({ kind }) => kind))).toEqual(new Set(["undetermined"]));
    expect([differing, same]).toEqual([10, 0]);
    // Nothing is known of that time, so no change is known to make a difference.
    expect(Array.from(rows.values(), ({ events }) => events)).toEqual(Array(10).fill([]));
  });

  it("compare two users, two locations and two values", async () => {
    const users = await compared({ user: "2" }, { user: "1" });
    expect([...users.rows].map(([feature, { kind }]) => [feature, kind])).toEqual([["beta", "turned-on"]]);
    expect(users.rows.get("beta")?.events).toMatchObject([{ source: "user" }]);
    const places = await compared({ location: "es" }, {});
    expect([...places.rows].map(([feature, { kind }]) => [feature, kind])).toEqual([["tapas", "turned-off"]]);
    const plans = await compared({}, { attributes: { plan: "gold" } });
    expect(plans.features).toMatchObject([
      { feature: "theme", kind: "value-changed", a: { value: "light" }, b: { value: "dark" }, events: [] },
    ]);
    expect((await compared({ user: "1" }, { user: "1" })).features).toEqual([]);
  });

  it("name no change where time alone makes the difference", async () => {
    const [thursday, friday] = ["2030-01-31", "2030-02-01"].map((day) => ({ at: `${day}T19:00:00+01:00` }));
    const { rows } = await compared(thursday ?? {}, friday ?? {});
    expect([...rows.keys()]).toEqual(["happy_hour"]);
    expect(rows.get("happy_hour")).toMatchObject({ kind: "turned-on", events: [], deciding: null });
  });

  it("name no change of a rule that was reverted, or has no effect, before time made the difference", async () => {
    const set = (startsAt: string) =>
      operator.put("/sources/evenings/rules/brunch", {}, { windows: [{ startsAt: `${startsAt}-01-01T00:00:00Z` }] });
    const since = async (at: string) => {
      await until(async () => {
        const { state, incomplete } = (await summary({ at })).context;
        return state === "history" && incomplete.length === 0;
      }, "the past is known");
      return (await compared({ at }, { at: "2030-02-01T19:00:00Z" })).rows.get("brunch");
    };
    await set("2030");
    const start = await instantText();
    await set("2040");
    const moved = await instantText();
    await set("2029");
    const early = await instantText();
    await set("2030");
    expect(await since(early)).toMatchObject({ kind: "turned-on", events: [], deciding: null });
    expect(await since(start)).toMatchObject({ kind: "turned-on", events: [], deciding: null });
    expect(await since(moved)).toMatchObject({ kind: "turned-on", events: [{ source: "evenings" }] });
  });

  it("name the change that made the difference, and not those without effect", async () => {
    for (const path of ["sources/active", "sources/global"]) await operator.delete(`/${path}/features/paella`);
    await operator.put("/sources/user/features/paella?userId=3");
    const from = await instantText();
    await operator.put("/sources/active/features/paella?note=opened");
    // A kill that was removed, and one grant more, change nothing.
    await operator.put("/killed/paella");
    await operator.delete("/killed/paella");
    await operator.put("/sources/global/features/paella");
    let row: Row | undefined;
    await until(async () => {
      row = (await compared({ user: "3", at: from }, { user: "3" })).rows.get("paella");
      return row !== undefined;
    }, "the difference is seen, also if a store was slow and its last known sets are compared");
    expect(row?.events.map(({ source }: { source: string }) => source)).toEqual(["active", "global"]);
    expect(row?.events[0]).toMatchObject({ event: row?.deciding, note: "opened" });
  });
});
