import { beforeEach, describe, expect, it } from "vitest";
import { source as setKind } from "../../../src/adapters/sources/set.ts";
import { explicitContext, IdentifyCaller } from "../../../src/application/evaluation/identify-caller.ts";
import { LocateCaller } from "../../../src/application/evaluation/locate-caller.ts";
import { SourceStates } from "../../../src/application/evaluation/source-states.ts";
import { compareTimes } from "../../../src/application/explain/compare-times.ts";
import { evaluateEachSource } from "../../../src/application/explain/evaluate-each-source.ts";
import { ExplainFeatures } from "../../../src/application/explain/explain-features.ts";
import type { Question } from "../../../src/application/explain/explained.ts";
import { featuresAsOf } from "../../../src/application/explain/features-as-of.ts";
import { historicalStore } from "../../../src/application/explain/historical-store.ts";
import type { FeatureStore } from "../../../src/domain/admin/feature-store.ts";
import type { ManagedSource } from "../../../src/domain/admin/managed-source.ts";
import type { SetIndex } from "../../../src/domain/admin/set-index.ts";
import {
  EventLogUnavailable,
  HistoryUnavailable,
  InvalidContext,
  SourceUnavailable,
  TokenRejected,
} from "../../../src/domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { FeatureResolver } from "../../../src/domain/evaluation/feature-resolver.ts";
import type { FeatureSets } from "../../../src/domain/evaluation/feature-sets.ts";
import { KeyTemplate } from "../../../src/domain/evaluation/key-template.ts";
import { queryLocator } from "../../../src/infrastructure/location/query-locator.ts";
import { MemoryHistory } from "../../support/memory-history.ts";
import { hostOn } from "../../support/source-host.ts";

const now = 1_000_000;
const quiet = { failed: () => {}, recovered: () => {}, foundInvalid: () => {} };

/** The default rules, and the present content of the stores by key. */
function service(
  present: Record<string, readonly string[] | Error> = {},
  more: readonly ManagedSource[] = [],
  beforeRead: (history: MemoryHistory) => Promise<void> = async () => {},
) {
  const history = new MemoryHistory();
  const stale = new Set<string>();
  const live: FeatureSets = {
    read: async (key) => {
      const features = present[key] ?? [];
      if (features instanceof Error) throw features;
      const cached: CachedRead<{ features: readonly string[]; invalidMembers: number }> = uncachedRead(
        { features, invalidMembers: 0 },
        now,
      );
      if (!stale.has(key)) return cached;
      return { ...cached, lastError: new Error("it is away"), verifiedAt: () => now - 60_000 };
    },
  };
  const recorded = {
    changes: { revisions: async () => [] },
    documents: { revisions: async () => new Map() },
    relay: async () => {},
    completeSince: async () => undefined,
  };
  const families: [name: string, key: string, rule: Partial<ManagedSource>][] = [
    ["global", "global_features", {}],
    ["active", "active_features", { role: "gate" }],
    ["killed", "tidegate:killed", { role: "veto" }],
    ["user", "features:user:{userId}", { gatedBy: ["active"] }],
    ["place", "location:{location}", { gatedBy: ["active"], onFailure: "skip" }],
  ];
  const sourcesOver = (sets: FeatureSets) =>
    families.map(([name, text, rule]): ManagedSource => {
      const key = KeyTemplate.parse(text) as KeyTemplate;
      const [connection, limit] = ["store", 1_000];
      const host = { ...hostOn(), name, readSet: (each: string) => sets.read(each, limit) };
      const resolver = setKind.create({ connection, key, maxMembers: limit }, host);
      const editableSet = { key, connection, limit, sets, index: {} as SetIndex, changes: {} as FeatureStore };
      return { ...ruleOf(name), ...rule, resolver, editableSet };
    });
  const past = (at: number) => [
    ...sourcesOver(historicalStore(history, recorded, "store", at).sets),
    ...more.map(unrecorded),
  ];
  const resolve = (token: string) => uncachedRead(token === "1234" ? "1" : undefined, now);
  const tokens = { keyOf: String, resolve, resolveKey: resolve };
  const callers = new IdentifyCaller(
    tokens,
    new LocateCaller([{ ...queryLocator, kind: "address", locate: ({ ip }) => (ip ? ["es/madrid"] : []) }]),
    new SourceStates(quiet, () => now),
    () => now,
  );
  const evaluate = evaluateEachSource(callers, [...sourcesOver(live), ...more], past, () => now);
  return {
    history,
    stale,
    explain: (question: Partial<Question> = {}) =>
      new ExplainFeatures(evaluate, history, () => beforeRead(history)).explain({
        caller: { userId: "1" },
        requestContext: explicitContext({}),
        ...question,
      }),
    evaluateAllAt: (at: number, userId: string) => featuresAsOf(evaluate)({ userId }, explicitContext({}), at),
    evaluateAt: async (at: number, userId?: string) =>
      [
        ...(
          await featuresAsOf(evaluate)(userId === undefined ? undefined : { userId }, explicitContext({}), at)
        ).features.keys(),
      ].sort(),
    compare: (from: number, to: number, userId = "1", location?: string) =>
      compareTimes(evaluate, history, async () => [])({ userId }, explicitContext({ location }), from, to),
  };
}

const ruleOf = (name: string): Omit<ManagedSource, "resolver"> => ({
  name,
  kind: "set",
  faults: () => [],
  role: "grant",
  gatedBy: [],
  default: "deny",
  onFailure: "fail",
  timeoutMs: 1_000,
});

const unrecorded = ({ resolver: _, ...source }: ManagedSource): ManagedSource => ({
  ...source,
  resolver: {
    resolve: () => {
      throw new HistoryUnavailable([{ name: source.name }]);
    },
  },
});

/** The event log covers all keys from the instant 10. */
function recorded(history: MemoryHistory) {
  for (const key of ["global_features", "active_features", "tidegate:killed", "features:user:1"]) {
    history.record({ key, at: 10, members: [], by: "external" });
  }
}

describe("the present explanation", () => {
  it("returns the state and the cause of each listed feature", async () => {
    const { explain } = service({
      global_features: ["everyone", "dead"],
      active_features: ["mine"],
      "tidegate:killed": ["dead"],
      "features:user:1": ["mine", "held"],
    });
    const { features } = await explain();
    expect(features.map(({ feature, on, message }) => [feature, on, message])).toEqual([
      ["dead", false, 'off: veto "killed" (tidegate:killed)'],
      ["everyone", true, 'on: grant "global" (global_features)'],
      ["held", false, 'off: grant "user" (features:user:1), but gate "active" denies it'],
      ["mine", true, 'on: grant "user" (features:user:1), gate "active" allows it'],
    ]);
    expect(features.map(({ decidedBy }) => decidedBy)).toEqual([
      ["killed"],
      ["global"],
      ["user", "active"],
      ["user", "active"],
    ]);
  });

  it("returns the result of each source", async () => {
    const { explain } = service({ active_features: ["a"] });
    const [a] = (await explain({ features: ["a"] })).features;
    expect(a?.results.map(({ source, result }) => `${source} ${result}`)).toEqual([
      "global absent",
      "active on",
      "killed absent",
      "user absent",
      "place absent",
    ]);
  });

  it("contains the requested features only, even unknown ones", async () => {
    const { explain } = service({ global_features: ["a", "b"] });
    const { features } = await explain({ features: ["none", "a", "a"] });
    expect(features.map(({ feature, message }) => [feature, message])).toEqual([
      ["a", 'on: grant "global" (global_features)'],
      ["none", "off: no source grants it"],
    ]);
  });

  it("returns the actor, time and note of the last change", async () => {
    const { explain, history } = service({ "features:user:1": ["a"], global_features: ["old"] });
    recorded(history);
    history.record({ key: "global_features", at: 15, members: ["old"], by: "external" });
    const put = history.record({ key: "features:user:1", at: 20, added: ["a"], by: "bert", note: "a try" });
    history.record({ key: "active_features", at: 25, added: ["a"] });
    const taken = history.record({ key: "active_features", at: 30, removed: ["a"], by: "anna" });
    const [a, old] = (await explain()).features;
    const turned = Object.fromEntries((a?.results ?? []).map((each) => [each.source, each.lastChange]));
    expect(turned).toEqual({
      user: { event: put, by: "bert", at: 20, note: "a try", origin: "change" },
      active: { event: taken, by: "anna", at: 30, origin: "change" },
    });
    expect(old?.results.find(({ source }) => source === "global")?.lastChange).toMatchObject({
      at: 15,
      origin: "baseline",
    });
  });

  it("omits a change that contradicts the set while the log is behind", async () => {
    const { explain, history } = service({ global_features: ["a"] });
    recorded(history);
    history.record(
      { key: "global_features", at: 20, added: ["a"] },
      { key: "global_features", at: 30, removed: ["a"] },
    );
    const [a] = (await explain()).features;
    expect(a?.results[0]).toEqual({ source: "global", result: "on", set: "global_features" });
  });

  it("includes pending changes, unless they do not reach the log", async () => {
    const late = async (history: MemoryHistory) =>
      void history.record({ key: "global_features", at: 20, added: ["a"] });
    const [a] = (await service({ global_features: ["a"] }, [], late).explain()).features;
    expect(a?.results[0]?.lastChange).toMatchObject({ at: 20 });
    const failing = () => Promise.reject(new Error("the store is away"));
    expect((await service({ global_features: ["a"] }, [], failing).explain()).features[0]?.on).toBe(true);
  });

  it("works without the log, and reports that", async () => {
    const { explain, history } = service({ global_features: ["a"] });
    expect((await explain()).isLogAvailable).toBe(true);
    history.fault = new Error("away");
    const { isLogAvailable: isLogAnswering, features } = await explain();
    expect([isLogAnswering, features[0]?.on]).toEqual([false, true]);
  });

  it("returns the freshness of each read, and its error", async () => {
    const { explain, stale } = service({ global_features: ["a"] });
    stale.add("global_features");
    const [global, active] = (await explain()).sources;
    expect(global).toMatchObject({ freshness: { asOf: now - 60_000, fresh: false }, error: "it is away" });
    expect(active).toEqual({
      name: "active",
      role: "gate",
      gatedBy: [],
      default: "deny",
      sets: [{ store: "store", key: "active_features" }],
      state: "evaluated",
      freshness: { asOf: now, fresh: true },
    });
  });

  it("returns a failing source, and the features that depend on it", async () => {
    const { explain } = service({
      active_features: new Error("cut off"),
      "features:user:1": ["a"],
      global_features: ["b"],
    });
    const { features, sources } = await explain();
    expect(features.map(({ on, message }) => [on, message])).toEqual([
      [undefined, "undetermined: active is unavailable"],
      [true, 'on: grant "global" (global_features)'],
    ]);
    expect(sources[1]).toMatchObject({ name: "active", state: "unavailable", error: "cut off" });
  });

  it("treats a skipped source as one without results", async () => {
    const { explain } = service({ "location:madrid": new Error("cut off"), active_features: ["a"] });
    const { features, sources } = await explain({ requestContext: explicitContext({ location: "madrid" }) });
    expect([features[0]?.on, sources.at(-1)?.state]).toEqual([false, "skipped"]);
  });

  describe("at a location with a parent", () => {
    const at = { requestContext: explicitContext({ location: "es/madrid" }) };

    it("returns the most specific set with a feature", async () => {
      const { explain } = service({
        active_features: ["both", "country"],
        "location:es/madrid": ["both"],
        "location:es": ["both", "country"],
      });
      const { features, sources } = await explain(at);
      expect(features.map(({ message }) => message)).toEqual([
        'on: grant "place" (location:es/madrid), gate "active" allows it',
        'on: grant "place" (location:es), gate "active" allows it',
      ]);
      expect(sources.at(-1)?.sets.map(({ key }) => key)).toEqual(["location:es/madrid", "location:es"]);
    });

    it("returns the locator, unless the request has a location", async () => {
      const { explain } = service();
      const { context, locatedBy } = await explain({ requestContext: explicitContext({ ip: "192.0.2.1" }) });
      expect([context.locations, locatedBy]).toEqual([["es/madrid", "es"], "address"]);
      const named = await explain({ requestContext: explicitContext({ location: "pt", ip: "192.0.2.1" }) });
      expect([named.context.locations, named.locatedBy]).toEqual([["pt"], undefined]);
    });

    it("returns the last change of that set, or the last removal", async () => {
      const { explain, history } = service({ "location:es": ["a"] });
      history.record({ key: "location:es/madrid", at: 10, members: ["a", "b"], by: "external" });
      history.record({ key: "location:es", at: 10, members: ["b"], by: "external" });
      history.record({ key: "location:es/madrid", at: 15, removed: ["a"], by: "carl" });
      const put = history.record({ key: "location:es", at: 20, added: ["a"], by: "anna" });
      const taken = history.record({ key: "location:es/madrid", at: 40, removed: ["b"], by: "bert" });
      history.record({ key: "location:es", at: 30, removed: ["b"], by: "carl" });
      const { features } = await explain({ ...at, features: ["a", "b"] });
      expect(features.map(({ results }) => results.at(-1))).toEqual([
        {
          source: "place",
          result: "on",
          set: "location:es",
          metadata: { set: "location:es" },
          lastChange: { event: put, by: "anna", at: 20, origin: "change" },
        },
        {
          source: "place",
          result: "absent",
          set: "location:es/madrid",
          lastChange: { event: taken, by: "bert", at: 40, origin: "change" },
        },
      ]);
    });

    it("covers the past if all sets are recorded", async () => {
      const { explain, history } = service();
      recorded(history);
      history.record({ key: "active_features", at: 20, added: ["a"] });
      history.record({ key: "location:es", at: 20, members: ["a"] });
      const { sources } = await explain({ ...at, at: 25 });
      expect(sources.at(-1)).toMatchObject({ name: "place", state: "no-history" });
      history.record({ key: "location:es/madrid", at: 30, members: [] });
      const before = await explain({ ...at, at: 15 });
      expect(before.sources.at(-1)).toMatchObject({ state: "no-history", historyFrom: 30 });
      const { features } = await explain({ ...at, at: 35 });
      expect(features[0]?.message).toBe('on: grant "place" (location:es), gate "active" allows it');
    });

    it("returns no result if one set is not readable", async () => {
      const { explain } = service({ "location:es/madrid": ["a"], "location:es": new Error("cut off") });
      expect((await explain(at)).sources.at(-1)).toMatchObject({ state: "skipped", error: "cut off" });
    });
  });

  it("is for the user of a token, with its freshness", async () => {
    const { explain } = service({ "features:user:1": ["a"] });
    const { context, identity } = await explain({ caller: { token: "1234" } });
    expect([context.userId, identity]).toEqual(["1", { userId: "1", asOf: now, fresh: true }]);
    await expect(explain({ caller: { token: "none" } })).rejects.toBeInstanceOf(TokenRejected);
  });

  it.each(["", "a\nb", "x".repeat(201)])("rejects the user %j", async (userId) => {
    await expect(service().explain({ caller: { userId } })).rejects.toBeInstanceOf(InvalidContext);
  });
});

describe("the explanation of a past time", () => {
  it("uses the history, not the present state", async () => {
    const { explain, history } = service({ global_features: ["now"] });
    recorded(history);
    history.record(
      { key: "global_features", at: 20, added: ["then"] },
      { key: "global_features", at: 30, removed: ["then"] },
    );
    const { context, isPast, features } = await explain({ at: 25 });
    expect([context.at, isPast]).toEqual([25, true]);
    expect(features.map(({ feature, on }) => [feature, on])).toEqual([["then", true]]);
    expect(features[0]?.results[0]?.lastChange).toMatchObject({ at: 20 });
  });

  it("is undetermined for features of an unrecorded set, with the start of its history", async () => {
    const { explain, history } = service();
    recorded(history);
    history.record({ key: "features:user:2", at: 50, members: ["a"] });
    history.record({ key: "active_features", at: 20, added: ["a"] }, { key: "global_features", at: 20, added: ["b"] });
    const { features, sources } = await explain({ caller: { userId: "2" }, at: 40 });
    expect(features.map(({ feature, on, message }) => [feature, on, message])).toEqual([
      ["a", undefined, "undetermined: no history at that time for user"],
      ["b", true, 'on: grant "global" (global_features)'],
    ]);
    expect(sources[3]).toMatchObject({ state: "no-history", historyFrom: 50 });
  });

  it("names all sources without a result", async () => {
    const { explain } = service({
      "tidegate:killed": new Error("cut off"),
      active_features: new Error("cut off"),
      "features:user:1": ["a"],
    });
    expect((await explain()).features[0]?.message).toBe("undetermined: active and killed are unavailable");
    const [a] = (await explain({ at: 5, features: ["a"] })).features;
    expect(a?.message).toBe("undetermined: no history at that time for global, user, active and killed");
  });

  it("has no result of a source without history", async () => {
    const resolver: FeatureResolver = { resolve: () => ({ features: new Map() }) };
    const { explain, history } = service({}, [{ ...ruleOf("feed"), resolver }]);
    recorded(history);
    expect((await explain({ at: 20 })).sources.at(-1)).toMatchObject({ name: "feed", state: "no-history" });
    expect((await explain()).sources.at(-1)).toMatchObject({ name: "feed", state: "evaluated" });
  });

  it("rejects while the log is unavailable", async () => {
    const { explain, history } = service();
    history.fault = new Error("away");
    await expect(explain({ at: 20 })).rejects.toBeInstanceOf(EventLogUnavailable);
  });
});

describe("the explanation of a future time", () => {
  it("uses the present state and the future clock", async () => {
    const resolver: FeatureResolver = {
      resolve: ({ at }) => ({
        features: new Map(at >= now + 5_000 ? [["later", { on: true, value: true, reason: "STATIC" }]] : []),
      }),
    };
    const { evaluateAt, explain } = service({ global_features: ["a"] }, [{ ...ruleOf("schedule"), resolver }]);
    expect(await evaluateAt(now + 4_999)).toEqual(["a"]);
    expect(await evaluateAt(now + 5_000)).toEqual(["a", "later"]);
    expect(await explain({ at: now + 5_000 })).toMatchObject({
      isPast: false,
      features: [{ feature: "a" }, { feature: "later", on: true }],
    });
  });
});

describe("the features of a past time", () => {
  it("are those that were on", async () => {
    const { evaluateAt, history } = service({ global_features: ["now"] });
    recorded(history);
    history.record({ key: "features:user:1", at: 20, added: ["a"] });
    history.record({ key: "active_features", at: 30, added: ["a"] }, { key: "tidegate:killed", at: 40, added: ["a"] });
    expect(await Promise.all([10, 29, 30, 39, 40].map((at) => evaluateAt(at, "1")))).toEqual([
      [],
      [],
      ["a"],
      ["a"],
      [],
    ]);
    expect(await evaluateAt(35)).toEqual([]);
  });

  it("lack those that depend on a source without history, which is named", async () => {
    const { evaluateAllAt, history } = service();
    recorded(history);
    history.record({ key: "global_features", at: 15, added: ["g"] });
    expect(await evaluateAllAt(20, "2")).toMatchObject({ features: new Set(["g"]), missing: ["user"] });
  });

  it("are unknown without any history, and all sources are named", async () => {
    const { evaluateAt, history } = service();
    recorded(history);
    await expect(evaluateAt(9)).rejects.toMatchObject({
      code: "history-unavailable",
      parts: [
        { name: "global", from: 10 },
        { name: "active", from: 10 },
        { name: "killed", from: 10 },
      ],
    });
  });

  it("reject if a source fails, even one that may be skipped", async () => {
    const resolver: FeatureResolver = { resolve: () => Promise.reject(new Error("cut off")) };
    const { evaluateAt } = service({}, [{ ...ruleOf("feed"), onFailure: "skip", resolver }]);
    await expect(evaluateAt(now + 1)).rejects.toBeInstanceOf(SourceUnavailable);
  });
});

describe("the difference between two times", () => {
  let all: ReturnType<typeof service>;
  beforeEach(() => {
    all = service({ global_features: ["now"] });
    recorded(all.history);
  });

  it("lists features that turned on or off, with the changes behind them", async () => {
    const { history, compare } = all;
    history.record({ key: "active_features", at: 20, added: ["a", "b", "c"] });
    history.record({ key: "features:user:1", at: 30, added: ["b"] });
    const put = history.record({ key: "features:user:1", at: 60, added: ["a", "x"], by: "bert", note: "a try" });
    const taken = history.record({ key: "active_features", at: 70, removed: ["b", "c"], by: "anna" });
    history.record({ key: "features:user:2", at: 75, members: ["a"] });
    expect(await compare(50, 80)).toEqual({
      turnedOn: ["a"],
      turnedOff: ["b"],
      undetermined: [],
      missingHistory: [],
      changes: [
        {
          store: "store",
          key: "features:user:1",
          event: put,
          by: "bert",
          at: 60,
          note: "a try",
          origin: "change",
          added: ["a"],
          removed: [],
          changed: [],
        },
        {
          store: "store",
          key: "active_features",
          event: taken,
          by: "anna",
          at: 70,
          origin: "change",
          added: [],
          removed: ["b"],
          changed: [],
        },
      ],
    });
  });

  it("omits features that changed back", async () => {
    const { history, compare } = all;
    history.record(
      { key: "global_features", at: 60, added: ["a"] },
      { key: "global_features", at: 70, removed: ["a"] },
    );
    expect(await compare(50, 80)).toMatchObject({ turnedOn: [], turnedOff: [], changes: [] });
  });

  it("finds the changes in a record with the resulting set only", async () => {
    const { history, compare } = all;
    history.record({ key: "global_features", at: 20, added: ["a", "b"] });
    history.record({ key: "global_features", at: 60, origin: "external", members: ["b", "c"], by: "external" });
    expect(await compare(50, 80)).toMatchObject({
      turnedOn: ["c"],
      turnedOff: ["a"],
      changes: [{ at: 60, origin: "external", added: ["c"], removed: ["a"] }],
    });
  });

  it("covers the sets of a location and of its parents", async () => {
    const { history, compare } = all;
    history.record({ key: "active_features", at: 20, added: ["a", "b", "c"] });
    history.record({ key: "location:es/madrid", at: 20, members: ["a"] });
    history.record({ key: "location:es", at: 20, members: ["b"] });
    history.record({ key: "location:es", at: 60, origin: "external", members: ["c"], by: "external" });
    history.record({ key: "location:es/madrid", at: 70, removed: ["a"] });
    expect(await compare(50, 80, "1", "es/madrid")).toMatchObject({
      turnedOn: ["c"],
      turnedOff: ["a", "b"],
      changes: [
        { key: "location:es", added: ["c"], removed: ["b"] },
        { key: "location:es/madrid", added: [], removed: ["a"] },
      ],
    });
  });

  it("names missing history, and the features that depend on it", async () => {
    const { history, compare } = all;
    history.record({ key: "active_features", at: 20, added: ["a"] });
    history.record({ key: "features:user:2", at: 60, members: ["a"] });
    expect(await compare(50, 80, "2")).toMatchObject({
      turnedOn: [],
      undetermined: ["a"],
      missingHistory: [{ name: "user", from: 60 }],
    });
  });

  it("can end in the future", async () => {
    expect(await all.compare(50, now + 1)).toMatchObject({ turnedOn: ["now"], changes: [] });
  });

  it("rejects while the log is unavailable", async () => {
    all.history.fault = new Error("away");
    await expect(all.compare(50, 80)).rejects.toBeInstanceOf(EventLogUnavailable);
  });
});
