import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ruleCheck } from "../../../../src/adapters/sources/_rules/rule-check.ts";
import { source } from "../../../../src/adapters/sources/schedule/source.ts";
import { schemaTools } from "../../../../src/bootstrap/config/schema-tools.ts";
import type { Json } from "../../../../src/domain/evaluation/feature.ts";
import type { FeatureResolver } from "../../../../src/domain/evaluation/feature-resolver.ts";
import { featureResolverContract } from "../../../contracts/feature-resolver.contract.ts";
import { hostOn } from "../../../support/source-host.ts";
import { aChange, redisStore, sqliteStore, type TestStore } from "../../../support/stores.ts";
import { timersOf } from "../../../support/timers-of.ts";
import { until } from "../../../support/until.ts";

const friday = {
  recurrence: "FREQ=WEEKLY;BYDAY=FR",
  from: "18:00",
  to: "23:00",
  timeZone: "Europe/Madrid",
};
const onFriday = Date.parse("2026-11-20T18:00:00Z");

const scheduleOn = (store: TestStore, collection = "schedules", warnings: unknown[] = []): FeatureResolver =>
  source.create({ connection: "store", collection }, hostOn(store.connection, { collection, warnings }));

const put = async (store: TestStore, schedules: Readonly<Record<string, Json>>, collection = "schedules") => {
  for (const [name, value] of Object.entries(schedules)) {
    await store.connection.documents.put({ ...aChange(), collection, name, value });
  }
};

describe.each([
  ["Redis", redisStore],
  ["SQLite", async () => sqliteStore()],
])("kind schedule over %s", (_, open: () => Promise<TestStore>) => {
  let store: TestStore;
  beforeAll(async () => {
    store = await open();
    await put(store, {
      happy_hour: { windows: [friday] },
      constructor: { windows: [{ startsAt: "2026-11-20T18:00:00Z" }] },
      christmas: { windows: [{ startsAt: "2026-12-24T18:00", endsAt: "2026-12-27T00:00", timeZone: "Europe/Madrid" }] },
    });
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  featureResolverContract(
    async () => ({
      resolver: scheduleOn(store),
      context: { at: onFriday },
      on: ["happy_hour", "constructor"],
      off: ["christmas"],
    }),
    async () => {
      await using closed = await open();
      return scheduleOn(closed);
    },
  );

  it("is valid until the next boundary of any schedule, for any time", async () => {
    const resolver = scheduleOn(store);
    const tell = async (at: string) => {
      const { features, validUntil = Number.NaN } = await resolver.resolve({ at: Date.parse(at) });
      const on = [...features].filter(([, { on }]) => on).map(([feature]) => feature);
      return [...on.sort(), Number.isFinite(validUntil) ? new Date(validUntil).toISOString() : validUntil];
    };
    expect(await tell("2026-11-20T16:59:59.999Z")).toEqual(["2026-11-20T17:00:00.000Z"]);
    expect(await tell("2026-11-20T17:00:00Z")).toEqual(["happy_hour", "2026-11-20T18:00:00.000Z"]);
    expect(await tell("2026-11-20T18:00:00Z")).toEqual(["constructor", "happy_hour", "2026-11-20T22:00:00.000Z"]);
    expect(await tell("2026-11-20T22:00:00Z")).toEqual(["constructor", "2026-11-27T17:00:00.000Z"]);
    expect(await tell("2026-12-25T17:00:00Z")).toEqual([
      "christmas",
      "constructor",
      "happy_hour",
      "2026-12-25T22:00:00.000Z",
    ]);
    expect(await tell("1999-01-01T12:00:00Z")).toEqual(["1999-01-01T17:00:00.000Z"]);
    expect(await tell("0001-01-01T00:00:00Z")).toEqual(["1900-01-05T18:14:44.000Z"]);
    expect(await tell("9999-12-31T18:00:00Z")).toEqual(["constructor", "happy_hour", "9999-12-31T22:00:00.000Z"]);
    expect(await tell("2222-02-22T18:00:00Z")).toEqual(["constructor", "happy_hour", "2222-02-22T22:00:00.000Z"]);
  });

  it("returns the window, or the next one", async () => {
    const { features } = await scheduleOn(store).resolve({ at: onFriday });
    expect(features.get("happy_hour")).toMatchObject({
      reason: "TARGETING_MATCH",
      metadata: { windowStartsAt: "2026-11-20T17:00:00.000Z", windowEndsAt: "2026-11-20T22:00:00.000Z" },
    });
    expect(features.get("constructor")?.metadata).toEqual({ windowStartsAt: "2026-11-20T18:00:00.000Z" });
    expect(features.get("christmas")).toMatchObject({
      reason: "DEFAULT",
      metadata: { nextWindowStartsAt: "2026-12-24T17:00:00.000Z" },
    });
  });

  it("returns the same map until a boundary or a change", async () => {
    vi.useFakeTimers({ now: onFriday, toFake: ["Date", "setTimeout", "clearTimeout"] });
    await put(store, { one: { windows: [friday] } }, "present");
    const resolver = scheduleOn(store, "present");
    const { features, validUntil } = await resolver.resolve({ at: onFriday });
    expect((await resolver.resolve({ at: onFriday + 60_000 })).features).toBe(features);
    vi.setSystemTime(validUntil ?? 0);
    expect((await resolver.resolve({ at: Date.now() })).features.get("one")?.on).toBe(false);
    await put(store, { two: { windows: [{ startsAt: "2026-01-01T00:00:00Z" }] } }, "present");
    const changed = await resolver.resolve({ at: Date.now() });
    expect([...changed.features].map(([feature, { on }]) => [feature, on]).sort()).toEqual([
      ["one", false],
      ["two", true],
    ]);

    const endsAt = Date.now() + 12_345;
    const windows = [{ startsAt: "2026-01-01T00:00:00Z", endsAt: new Date(endsAt).toISOString() }];
    using timers = timersOf(12_345);
    await put(store, { one: { windows } }, "present");
    expect(await resolver.resolve({ at: Date.now() })).toMatchObject({ validUntil: endsAt });
    await until(() => timers.pending() === 1, "it waits for the boundary");
    await resolver.dispose?.();
    expect(timers.pending()).toBe(0);
  });

  it("is off, and reports a fault, for an invalid stored rule", async () => {
    const warnings: { fault: string }[] = [];
    const never = { ...friday, recurrence: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" };
    await put(
      store,
      {
        odd: { windows: "always" },
        hourly: { windows: [{ ...friday, recurrence: "FREQ=HOURLY" }] },
        never: { windows: [never] },
      },
      "odd",
    );
    const { features } = await scheduleOn(store, "odd", warnings).resolve({ at: onFriday });
    expect([...features].map(([feature, { on }]) => [feature, on]).sort()).toEqual([
      ["hourly", false],
      ["never", false],
      ["odd", false],
    ]);
    const faults = warnings.map(({ fault }) => fault);
    expect(faults.sort()).toEqual([
      expect.stringMatching(/^rule for "hourly": \/windows\/0\/recurrence contains FREQ=HOURLY/),
      'rule for "odd": /windows is invalid (expected array)',
    ]);
  });

  it("returns no features without rules", async () => {
    const answer = await scheduleOn(store, "nothing").resolve({ at: onFriday });
    expect([answer.features.size, answer.validUntil]).toEqual([0, Number.POSITIVE_INFINITY]);
  });
});

describe("A schedule", () => {
  const rule = source.editable && "rules" in source.editable ? source.editable.rules(schemaTools([])) : z.never();
  const check = ruleCheck({ rule });

  it("is stored as written", () => {
    const written = { windows: [friday, { startsAt: "2026-12-24T18:00:00Z", endsAt: "2026-12-25T00:00:00Z" }] };
    expect(check("feature", written)).toEqual({ rule: written });
  });

  it.each<[string, Json, { pointer: string; detail: string }]>([
    ["no list", {}, { pointer: "/windows", detail: "is missing" }],
    ["no window", { windows: [] }, { pointer: "/windows", detail: "is too small (minimum: 1 items)" }],
    [
      "too many windows",
      { windows: Array.from({ length: 101 }, () => friday) },
      { pointer: "/windows", detail: "is too large (maximum: 100 items)" },
    ],
    [
      "a window that ends before it begins",
      { windows: [friday, { startsAt: "2026-12-24T18:00:00Z", endsAt: "2026-12-24T17:00:00Z" }] },
      { pointer: "/windows/1/endsAt", detail: "is not after startsAt; set a later time, or omit it" },
    ],
    [
      "a rule of hours",
      { windows: [{ ...friday, recurrence: "FREQ=HOURLY" }] },
      {
        pointer: "/windows/0/recurrence",
        detail:
          "contains FREQ=HOURLY, which is more than once a day; use FREQ=DAILY, with a window for each time of day",
      },
    ],
    [
      "a rule that never happens",
      { windows: [{ ...friday, recurrence: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" }] },
      {
        pointer: "/windows/0/recurrence",
        detail: "never occurs, or not for decades; fix the rule, or its first and last day",
      },
    ],
    [
      "a rule that has no day between two",
      { windows: [{ ...friday, startsOn: "2026-11-21", endsOn: "2026-11-26" }] },
      {
        pointer: "/windows/0/recurrence",
        detail: "never occurs, or not for decades; fix the rule, or its first and last day",
      },
    ],
  ])("is rejected with %s", (_, written, fault) => {
    expect(check("feature", written)).toMatchObject({ faults: [fault] });
  });
});
