import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, answeredInTime, type Operator, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer } from "../../../support/service.ts";
import { inRedis, kindsEnv, switchesRules } from "../../../support/switches.ts";
import { firstResult, until } from "../../../support/until.ts";

const textOf = (at: number): string => new Date(at).toISOString();

/** Returns the current time; what follows is later. */
async function moment(): Promise<number> {
  const now = Date.now();
  await until(() => Date.now() > now + 1, "the clock advances");
  return now;
}

describe("the effect of rules", () => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  let start: number;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await startOperator(switchesRules(inRedis(redis.url)), kindsEnv);
    await until(async () => (await at(Date.now() - 1)).isComplete, "rules and sets are on record");
    start = await moment();
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const put = async (feature: string, rule: unknown, query = "") => {
    expect((await operator.put(`/sources/switches/rules/${feature}${query}`, {}, rule)).status).toBe(200);
    return moment();
  };
  const at = async (instant: number) => {
    const answer = await operator.service.get(`/features?at=${textOf(instant)}`, bearer(adminToken));
    const isComplete = answer.ok && !answer.headers.has("cache-status");
    return { isComplete, body: (await answer.json()) as { active_features?: string[]; code?: string } };
  };
  const completeAt = (instant: number) =>
    firstResult(
      () => at(instant),
      ({ isComplete }) => isComplete,
      "the log has all changes until then",
    );
  const resultOf = async (question: object, feature: string, source = "switches") => {
    const { body } = await answeredInTime(() => operator.post("/explain", { features: [feature], ...question }));
    const [{ results, ...explained }] = body.features;
    return {
      ...explained,
      result: results.find((each: { source: string }) => each.source === source),
      sources: body.sources,
    };
  };

  it("is known at past times", async () => {
    const on = await put("past", { on: true });
    const off = await put("past", { on: false });
    await operator.delete("/sources/switches/rules/past");
    const gone = await moment();
    const notified = await Promise.all(
      [start, on, off, gone].map(async (each) => (await completeAt(each)).body.active_features),
    );
    expect(notified).toEqual([["always"], ["always", "past"], ["always"], ["always"]]);
    expect((await at(start - 3_600_000)).body.code).toBe("history-unavailable");
  });

  it("includes each acknowledged change at once", async () => {
    for (let round = 0; round < 20; round++) {
      const on = round % 2 === 0;
      const after = await put("flicker", { on });
      expect((await completeAt(after)).body.active_features?.includes("flicker")).toBe(on);
    }
  });

  it("is explained by the rule, its last change and its freshness", async () => {
    await put("explained", { on: true, until: "spring" }, "?note=TICKET-9");
    // The invalidation of a change may arrive while the rules with that change are read: then they are read again.
    const { on, message, decidedBy, result, sources } = await firstResult(
      () => resultOf({}, "explained"),
      (explained) => explained.sources[1].freshness.fresh,
      "the rules are cached",
    );
    expect([on, message, decidedBy]).toEqual([true, 'on: grant "switches"', ["switches"]]);
    expect(result).toEqual({
      source: "switches",
      result: "on",
      set: null,
      rule: { on: true, floors: [], until: "spring" },
      metadata: null,
      lastChange: {
        event: expect.any(String),
        by: "admin",
        at: expect.any(String),
        note: "TICKET-9",
        origin: "change",
      },
    });
    expect(sources[1]).toMatchObject({
      sets: [],
      rules: { connection: "features", collection: "switches" },
      freshness: { fresh: true },
    });
  });

  it("is explained for past and deleted rules", async () => {
    const on = await put("once", { on: true }, "?note=begin");
    await operator.delete("/sources/switches/rules/once?note=over");
    const after = await moment();
    const then = await resultOf({ at: textOf(on) }, "once");
    expect([then.on, then.result]).toMatchObject([
      true,
      { result: "on", rule: { on: true }, lastChange: { note: "begin" } },
    ]);
    for (const question of [{}, { at: textOf(after) }]) {
      const now = await resultOf(question, "once");
      expect([now.on, now.result]).toMatchObject([
        false,
        { result: "absent", rule: null, lastChange: { note: "over", by: "admin" } },
      ]);
    }
    const never = await resultOf({}, "never");
    expect(never.result).toMatchObject({ result: "absent", rule: null, lastChange: null });
  });

  it("is listed with its sources", async () => {
    await put("listed/on", { on: true });
    await put("listed/off", { on: false });
    const { body } = await answeredInTime(() => operator.get("/features?search=listed"));
    expect(body.features.map(({ feature, on }: { feature: string; on: unknown }) => [feature, on])).toEqual([
      ["listed/off", { killed: false, switches: { rule: { on: false, floors: [] }, on: false } }],
      ["listed/on", { killed: false, switches: { rule: { on: true, floors: [] }, on: true } }],
    ]);
    const past = await answeredInTime(() => operator.get(`/features?search=listed&at=${textOf(start)}`));
    expect(past.body.features).toEqual([]);
  });

  it("differs between two times by the change of a rule", async () => {
    await put("differs", { on: false });
    const before = await moment();
    await put("differs", { on: true }, "?note=go");
    await put("other", { on: false });
    const after = await moment();
    const { body } = await operator.get(`/diff?from=${textOf(before)}&to=${textOf(after)}`);
    expect([body.turnedOn, body.turnedOff, body.undetermined]).toEqual([["differs"], [], []]);
    expect(body.events).toEqual([
      {
        event: expect.any(String),
        at: expect.any(String),
        by: "admin",
        note: "go",
        origin: "change",
        connection: "features",
        key: "switches/differs",
        added: [],
        removed: [],
        changed: ["differs"],
      },
    ]);
  });
});
