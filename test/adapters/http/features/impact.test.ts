import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, redisRulesAt, sqliteRules, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";

const more = `
  - { name: rollout, kind: percentage, connection: features }
  - { name: times, kind: schedule, connection: features }
  - { name: flags, kind: flagd, connection: features }
`;
const nobody = { everyone: false, users: 0, locations: [], shares: [], rules: [] };
const users = Array.from({ length: 25 }, (_, index) => `u-${String(index).padStart(2, "0")}`);

describe.each(["redis", "sqlite"])("the impact and the holders of a feature in %s", (store) => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator((store === "redis" ? redisRulesAt(redis.url) : sqliteRules) + more);
    await operator.post("/changes", {
      changes: [
        { source: "active", add: ["menu", "a/b"] },
        { source: "location", context: { location: "es/madrid" }, add: ["menu"] },
        { source: "location", context: { location: "fr" }, add: ["menu"] },
        ...users.map((userId) => ({ source: "user", context: { userId }, add: ["menu"] })),
        { source: "user", context: { userId: "with/slash" }, add: ["a/b", "held"] },
      ],
    });
    await operator.put("/sources/rollout/rules/menu", {}, { percentage: 20 });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const audience = {
    everyone: false,
    users: 25,
    locations: ["es/madrid", "fr"],
    shares: [{ source: "rollout", percentage: 20 }],
    rules: [],
  };

  it.each([
    ["change=kill", { source: "killed", stateAfter: "killed", gains: nobody, loses: audience }],
    ["change=unkill", { source: "killed", stateAfter: "on-for-some", gains: nobody, loses: nobody }],
    ["change=on", { source: "global", stateAfter: "on", gains: { ...nobody, everyone: true }, loses: nobody }],
    ["change=off", { source: "global", stateAfter: "on-for-some", gains: nobody, loses: nobody }],
    ["change=close", { source: "active", stateAfter: "on-for-some", gains: nobody, loses: { ...nobody, users: 25 } }],
    ["change=open&source=active", { source: "active", stateAfter: "on-for-some", gains: nobody, loses: nobody }],
  ])("is known before %s", async (query, expected) => {
    const { status, body } = await operator.get(`/features/menu/impact?${query}`);
    expect(status).toBe(200);
    expect(body).toEqual({ stateBefore: "on-for-some", complete: true, evaluationsLastHour: 0, ...expected });
  });

  it("has the evaluations of the last hour, also those of the present minute", async () => {
    const impact = async () => (await operator.get("/features/menu/impact?change=kill")).body;
    const { evaluationsLastHour: before } = await impact();
    await operator.service.get("/features?location=fr");
    expect((await impact()).evaluationsLastHour).toBe(before + 1);
  });

  it("equals the effect of a kill, and of its end", async () => {
    const before = (await operator.get("/features/menu")).body;
    expect((await operator.put("/killed/menu")).status).toBe(200);
    expect((await operator.get("/features/menu")).body.state).toBe("killed");
    expect((await operator.get("/features/menu/impact?change=unkill")).body).toMatchObject({
      stateBefore: "killed",
      stateAfter: "on-for-some",
      gains: audience,
    });
    await operator.delete("/killed/menu");
    const { state, on, audience: restored } = (await operator.get("/features/menu")).body;
    expect({ state, on, audience: restored }).toEqual({ state: before.state, on: before.on, audience });
  });

  it("is found for a key with a slash, encoded or in the key of a user", async () => {
    const { body } = await operator.get("/features/a%2Fb/impact?change=kill");
    expect(body.loses).toEqual({ ...nobody, users: 1 });
    expect((await operator.get("/features/a%2Fb/users")).body.users).toEqual(["with/slash"]);
    expect((await operator.get("/users/with%2Fslash")).body.userId).toBe("with/slash");
  });

  it("rejects sources that do not fit", async () => {
    for (const [query, status, code] of [
      ["change=close&source=user", 409, "not-changeable"],
      ["change=on&source=nowhere", 404, "unknown-source"],
      ["change=sideways", 400, "invalid-query"],
    ] as const) {
      const { status: found, body } = await operator.get(`/features/menu/impact?${query}`);
      expect([found, body.code]).toEqual([status, code]);
    }
  });

  it("is part of the dry run of a change", async () => {
    const dry = async (path: string) =>
      (await operator.put(`${path}${path.includes("?") ? "&" : "?"}dryRun=true`)).body;
    expect((await dry("/killed/menu")).impact).toMatchObject({ stateAfter: "killed", loses: audience });
    expect((await dry("/sources/user/features/menu?userId=new")).impact.gains).toEqual({ ...nobody, users: 1 });
    expect((await dry("/sources/user/features/menu?userId=u-01")).impact.gains).toEqual(nobody);
    expect((await dry("/sources/user/features/held?userId=new")).impact).toMatchObject({ gains: nobody });
    expect((await dry("/sources/location/features/menu?location=de")).impact.gains).toEqual({
      ...nobody,
      locations: ["de"],
    });
    expect((await dry("/sources/active/features/held")).impact).toMatchObject({
      stateBefore: "held",
      stateAfter: "on-for-some",
      gains: { ...nobody, users: 1 },
    });
  });

  it("is part of each item of a bulk dry run", async () => {
    const changes = [
      { source: "killed", add: ["menu"] },
      { source: "global", add: ["menu", "more"] },
      { source: "nowhere", add: ["menu"] },
    ];
    const { results } = (await operator.post("/changes?dryRun=true", { changes })).body;
    expect(results[0].impact.loses).toEqual(audience);
    expect(results[1]).not.toHaveProperty("impact");
    expect(results[2]).toMatchObject({ status: 404, code: "unknown-source" });
  });

  it("is part of the dry run of a rule, with the known users that gain and lose it", async () => {
    const dry = async (path: string, rule: object) => (await operator.put(`${path}?dryRun=true`, {}, rule)).body.impact;
    const more = await dry("/sources/rollout/rules/menu", { percentage: 60 });
    expect(more.gains).toEqual({ ...nobody, shares: [{ source: "rollout", percentage: 40 }] });
    expect(more.knownUsers).toMatchObject({ lose: 0, of: 26 });
    expect(more.knownUsers.gain).toBeGreaterThan(0);
    const all = await dry("/sources/rollout/rules/menu", { percentage: 100 });
    expect(all).toMatchObject({ stateAfter: "on", gains: { everyone: true } });
    const less = await dry("/sources/rollout/rules/menu", { percentage: 0 });
    expect(less.loses.shares).toEqual([{ source: "rollout", percentage: 20 }]);
    expect(less.knownUsers.lose + all.knownUsers.gain).toBe(26);
    const soon = await dry("/sources/times/rules/soon", { windows: [{ startsAt: "2100-01-01T00:00:00Z" }] });
    expect(soon).toMatchObject({ stateBefore: "off", stateAfter: "scheduled", gains: nobody, loses: nobody });
    expect(soon.opens).toEqual({ at: "2100-01-01T00:00:00.000Z", gains: { ...nobody, everyone: true } });
    expect(more).not.toHaveProperty("opens");
    const flag = { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "on" };
    expect(await dry("/sources/flags/rules/flag", flag)).toMatchObject({ stateAfter: "on", gains: { everyone: true } });
    const targeting = { if: [{ "==": [{ var: "userId" }, "u-03"] }, "on", "off"] };
    expect(await dry("/sources/flags/rules/flag", { ...flag, targeting })).toMatchObject({
      stateAfter: "on-for-some",
      gains: { rules: ["flags"] },
      complete: false,
      knownUsers: { gain: 1, lose: 0 },
    });
    const removed = (await operator.delete("/sources/rollout/rules/menu?dryRun=true")).body;
    expect(removed.impact.loses.shares).toEqual([{ source: "rollout", percentage: 20 }]);
  });

  it("lists the users and locations of a feature in pages", async () => {
    const found: string[] = [];
    for (let cursor = ""; ; ) {
      const { body } = await operator.get(`/features/menu/users?limit=10${cursor}`);
      expect([body.source, body.total]).toEqual(["user", 25]);
      found.push(...body.users);
      if (!body.next) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(found).toEqual(users);
    expect((await operator.get("/features/menu/locations")).body).toEqual({
      source: "location",
      total: 2,
      locations: ["es/madrid", "fr"],
    });
    expect((await operator.get("/features/none/users")).body).toEqual({ source: "user", total: 0, users: [] });
    const other = (await operator.get("/features/menu/users?limit=10")).body.next;
    expect((await operator.get(`/features/none/users?cursor=${other}`)).body.code).toBe("invalid-cursor");
    expect((await operator.get("/features/menu/users?source=global")).body.code).toBe("not-changeable");
  });

  it("finds users by the beginning of their ids", async () => {
    const found = (await operator.get("/users?prefix=u-0&limit=5")).body;
    expect(found).toEqual({
      users: users.slice(0, 5).map((userId) => ({ userId, features: 1 })),
      complete: false,
    });
    expect((await operator.get("/users?prefix=with/")).body).toEqual({
      users: [{ userId: "with/slash", features: 2 }],
      complete: true,
    });
    expect((await operator.get("/users?limit=100")).body.users).toHaveLength(26);
    expect((await operator.get("/users?prefix=nobody")).body).toEqual({ users: [], complete: true });
  });

  it("finds the user of a token that is sent in the body", async () => {
    const { token } = (await operator.post("/users/u-07/tokens")).body;
    expect((await operator.post("/users/find", { token })).body).toEqual({ userId: "u-07" });
    expect((await operator.post("/users/find", { token: "unknown" })).body).toEqual({ userId: null });
    expect((await operator.post("/users/find", {})).status).toBe(422);
  });
});
