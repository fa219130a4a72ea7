import { describe, expect, it } from "vitest";
import { checkedResults } from "../../../src/adapters/sources/_catalogue/checked-results.ts";
import { ContextFields } from "../../../src/application/evaluation/context-fields.ts";
import {
  type EvaluatedFeatures,
  EvaluateFeatures,
  type EvaluationCache,
} from "../../../src/application/evaluation/evaluate-features.ts";
import { EvaluateSources } from "../../../src/application/evaluation/evaluate-sources.ts";
import { type Caller, explicitContext, IdentifyCaller } from "../../../src/application/evaluation/identify-caller.ts";
import { LocateCaller } from "../../../src/application/evaluation/locate-caller.ts";
import { SourceStates } from "../../../src/application/evaluation/source-states.ts";
import { InvalidContext, SourceUnavailable, StoreDataInvalid, TokenRejected } from "../../../src/domain/errors.ts";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { ContextField, EvaluationContext } from "../../../src/domain/evaluation/evaluation-context.ts";
import type { Source } from "../../../src/domain/evaluation/source.ts";
import { emptyResult, type SourceResult } from "../../../src/domain/evaluation/source-result.ts";
import { queryLocator } from "../../../src/infrastructure/location/query-locator.ts";
import { until } from "../../support/until.ts";

const answer = (...features: string[]): SourceResult => ({
  features: new Map(features.map((feature) => [feature, { on: true, value: true, reason: "STATIC" }])),
});

const source = (name: string, resolve: Source["resolver"]["resolve"], more: Partial<Source> = {}): Source => ({
  name,
  role: "grant",
  gatedBy: [],
  default: "deny",
  onFailure: "fail",
  timeoutMs: 1_000,
  ...more,
  resolver: { resolve },
});

const broken = () => Promise.reject(new Error("it is broken"));
const never = () => new Promise<SourceResult>(() => {});

/** Caches no results. */
const forgetful: EvaluationCache = { get: () => undefined, set: () => {} };

function service(sources: Source[], users: Record<string, string> | "away" = {}, before = forgetful) {
  const events: string[] = [];
  let now = 0;
  let age = 0;
  const states = new SourceStates(
    {
      failed: (name, cause) => events.push(`${name} failed: ${(cause as Error).message}`),
      recovered: (name) => events.push(`${name} recovered`),
      foundInvalid: (name, cause) => events.push(`${name} invalid: ${cause.message}`),
    },
    () => now,
  );
  const resolve = async (token: string) =>
    users === "away" ? broken() : uncachedRead(users[token], 1_700_000_000_000 - age);
  const tokens = { resolve, resolveKey: resolve, keyOf: String };
  const locate = new LocateCaller([queryLocator]);
  const callers = new IdentifyCaller(tokens, locate, states, () => 1_700_000_000_000);
  const resolveFeatures = new EvaluateFeatures(
    callers,
    new EvaluateSources(sources, states),
    new ContextFields(sources),
    before,
  );
  const features = async () => (await resolveFeatures.evaluate(undefined, explicitContext({}))).features;
  const ask = async (caller?: Caller, location?: string) => {
    const { features, missing } = await resolveFeatures.evaluate(caller, explicitContext({ location }));
    return { features: [...features.keys()], missing };
  };
  const tick = (ms: number) => {
    now += ms;
  };
  const setAge = (ms: number) => {
    age = ms;
  };
  return { ask, features, events, tick, remember: setAge };
}

describe("resolving features", () => {
  it("calls each source with the token's user", async () => {
    const asked: EvaluationContext[] = [];
    const see = (context: EvaluationContext) => {
      asked.push(context);
      return answer();
    };
    const { ask } = service([source("a", see), source("b", see)], { "1234": "user-1" });
    await ask({ token: "1234" }, "madrid");
    const expected = { at: 1_700_000_000_000, userId: "user-1", targetingKey: "user-1", locations: ["madrid"] };
    expect(asked).toEqual([expected, expected]);
  });

  it("calls sources without user and location unless the request has them", async () => {
    const asked: EvaluationContext[] = [];
    const { ask } = service([source("a", (context) => answer(`${asked.push(context)}`))]);
    await ask(undefined, undefined);
    await ask(undefined, "");
    expect(asked).toEqual([{ at: 1_700_000_000_000 }, { at: 1_700_000_000_000 }]);
  });

  it("merges the results of the sources", async () => {
    const { ask } = service([
      source("everyone", () => answer("a")),
      source("active", async () => answer("b"), { role: "gate" }),
      source("user", async () => answer("b", "c"), { gatedBy: ["active"] }),
    ]);
    expect(await ask()).toEqual({ features: ["a", "b"], missing: [] });
  });

  it("starts all sources before it waits for any", async () => {
    const started: string[] = [];
    const begin = (name: string) => () => {
      started.push(name);
      return never();
    };
    void service([source("a", begin("a")), source("b", begin("b"))])
      .ask()
      .catch(() => {});
    await until(() => started.length > 0, "a source is asked");
    expect(started).toEqual(["a", "b"]);
  });

  it("caches what many callers share, and not the results for one user", async () => {
    const cached = new Map<string, EvaluatedFeatures>();
    const ofUser = (varyBy: readonly ContextField[]): Source => ({
      ...source("user", () => answer("a")),
      resolver: { varyBy, resolve: () => ({ ...answer("a"), validUntil: Number.POSITIVE_INFINITY }) },
    });
    await service([ofUser([])], { "1234": "1" }, cached).ask({ token: "1234" });
    expect(cached.size).toBe(1);
    const { ask } = service([ofUser(["userId"])], { "1234": "1" }, cached);
    cached.clear();
    await ask({ token: "1234" });
    expect(cached.size).toBe(0);
    await ask();
    expect(cached.size).toBe(1);
  });

  it("merges once for all callers that waited for the same reads", async () => {
    const cached = new Map<string, EvaluatedFeatures>();
    const { promise, resolve } = Promise.withResolvers<SourceResult>();
    const slow = { ...source("slow", () => promise), resolver: { varyBy: [], resolve: () => promise } };
    const features = service([slow], {}, cached).features;
    const first = [features(), features(), features()];
    resolve({ ...answer("a"), validUntil: Number.POSITIVE_INFINITY });
    expect(new Set(await Promise.all(first)).size).toBe(1);
  });

  it("rejects an unknown token before it calls a source", async () => {
    const { ask } = service([source("a", () => expect.unreachable())], { "1234": "1" });
    await expect(ask({ token: "12345" })).rejects.toBeInstanceOf(TokenRejected);
  });

  it("rejects a token as unknown only within the freshness bound", async () => {
    const { ask, remember: setAge } = service([source("a", () => answer("a"))], { "1234": "1" });
    setAge(1_001);
    await expect(ask({ token: "12345" })).rejects.toBeInstanceOf(SourceUnavailable);
    expect((await ask({ token: "1234" })).features).toEqual(["a"]);
  });

  it("reports an outage of the tokens instead of an unknown token", async () => {
    const { ask, events } = service([source("a", () => answer("a"))], "away");
    await expect(ask({ token: "1234" })).rejects.toMatchObject({ code: "source-unavailable", source: "tokens" });
    expect(events).toEqual(["tokens failed: it is broken"]);
    expect(await ask()).toEqual({ features: ["a"], missing: [] });
  });

  it.each(["grant", "gate", "veto"] as const)("fails if a %s fails", async (role) => {
    const { ask } = service([source("fine", () => answer("a")), source("bad", broken, { role })]);
    await expect(ask()).rejects.toBeInstanceOf(SourceUnavailable);
    await expect(ask()).rejects.toMatchObject({ source: "bad", cause: new Error("it is broken") });
  });

  it("omits a failing source with onFailure skip, and names it", async () => {
    const { ask } = service([
      source("bad", broken, { onFailure: "skip" }),
      source("fine", () => answer("a")),
      source("late", never, { onFailure: "skip", timeoutMs: 1 }),
    ]);
    expect(await ask()).toEqual({ features: ["a"], missing: ["bad", "late"] });
  });

  it("handles a synchronous throw as a rejection", async () => {
    const thrower = () => {
      throw new Error("thrown");
    };
    const { ask } = service([source("bad", thrower, { onFailure: "skip" })]);
    expect(await ask()).toEqual({ features: [], missing: ["bad"] });
  });

  it("waits for a source up to its time limit", async () => {
    const { ask, events } = service([source("slow", never, { timeoutMs: 20 })]);
    await expect(ask()).rejects.toMatchObject({ source: "slow" });
    expect(events).toEqual(["slow failed: no response within 20 ms"]);
  });

  it("reports the failure of a source once, and its recovery once", async () => {
    let fine = false;
    const { ask, events } = service([source("s", () => (fine ? answer() : broken()), { onFailure: "skip" })]);
    await ask();
    await ask();
    fine = true;
    await ask();
    await ask();
    expect(events).toEqual(["s failed: it is broken", "s recovered"]);
  });

  it("reports each reason of a failure once until the recovery, and at most five", async () => {
    const reasons = ["away", "empty", "away", "empty", undefined, "empty", ..."abcdef"];
    const next = () => {
      const reason = reasons.shift();
      return reason === undefined ? answer() : Promise.reject(new Error(reason));
    };
    const { ask, events } = service([source("s", next, { onFailure: "skip" })]);
    while (reasons.length > 0) await ask();
    expect(events).toEqual([
      ...["s failed: away", "s failed: empty", "s recovered"],
      ...["empty", "a", "b", "c", "d"].map((reason) => `s failed: ${reason}`),
    ]);
  });

  it("reports invalid data once a minute, and as neither failure nor recovery", async () => {
    let repair: (() => SourceResult) | undefined;
    const invalid = () => repair?.() ?? Promise.reject(new StoreDataInvalid("repair it"));
    const { ask, events, tick } = service([source("s", invalid, { onFailure: "skip" })]);
    for (let call = 0; call < 3; call++) await ask();
    repair = () => answer("a");
    await ask();
    repair = undefined;
    await ask();
    expect(events).toEqual(["s invalid: repair it"]);
    tick(60_000);
    await ask();
    expect(events).toEqual(["s invalid: repair it", "s invalid: repair it"]);
  });

  it("does not take an empty result for a recovery", async () => {
    const outcomes = [broken, () => emptyResult, broken];
    const { ask, events } = service([source("s", () => outcomes.shift()?.() ?? answer(), { onFailure: "skip" })]);
    for (let call = 0; call < 4; call++) await ask();
    expect(events).toEqual(["s failed: it is broken", "s recovered"]);
  });

  it.each([
    ["nothing", undefined],
    ["no Map", { features: { a: true } }],
    ["no key", { features: new Map([["a\n", { on: true }]]) }],
    ["no resolution", { features: new Map([["a", null]]) }],
    // biome-ignore lint/suspicious/noThenProperty: a thenable that never answers is the point
    ["a promise that never settles", { then: () => {} }],
  ])('handles the result "%s" of a source from outside as a failure', async (_, result) => {
    const wrong = source("wrong", () => result as never, { onFailure: "skip", timeoutMs: 20 });
    const { ask } = service([
      { ...wrong, resolver: checkedResults(wrong.resolver) },
      source("fine", () => answer("a")),
    ]);
    expect(await ask()).toEqual({ features: ["a"], missing: ["wrong"] });
  });

  it.each(["x".repeat(201), "a\nb", "a\u0000", "\u0085", "\ud800"])("rejects the location %j", async (location) => {
    const { ask } = service([source("a", () => expect.unreachable())]);
    await expect(ask(undefined, location)).rejects.toBeInstanceOf(InvalidContext);
  });
});
