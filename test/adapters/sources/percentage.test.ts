import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ruleCheck } from "../../../src/adapters/sources/_rules/rule-check.ts";
import { source } from "../../../src/adapters/sources/percentage.ts";
import { schemaTools } from "../../../src/bootstrap/config/schema-tools.ts";
import type { EvaluationContext } from "../../../src/domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../src/domain/evaluation/feature.ts";
import type { FeatureResolver } from "../../../src/domain/evaluation/feature-resolver.ts";
import { featureResolverContract } from "../../contracts/feature-resolver.contract.ts";
import { hostOn } from "../../support/source-host.ts";
import { aChange, redisStore, sqliteStore, type TestStore } from "../../support/stores.ts";

const percentageOn = (store: TestStore, collection = "percentages", warnings: unknown[] = []): FeatureResolver =>
  source.create({ connection: "store", collection }, hostOn(store.connection, { collection, warnings }));

const put = async (store: TestStore, percentages: Readonly<Record<string, Json>>, collection = "percentages") => {
  for (const [name, value] of Object.entries(percentages)) {
    await store.connection.documents.put({ ...aChange(), collection, name, value });
  }
};

describe.each([
  ["Redis", redisStore],
  ["SQLite", async () => sqliteStore()],
])("kind percentage over %s", (_, open: () => Promise<TestStore>) => {
  let store: TestStore;
  beforeAll(async () => {
    store = await open();
    await put(store, {
      all: { percentage: 100 },
      none: { percentage: 0 },
      // Id 7 is in bucket 34.57 %.
      new_menu: { percentage: 34.58 },
      like_it: { percentage: 34.57, group: "new_menu" },
      constructor: { percentage: 100, by: "attributes.constructor" },
    });
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
  });

  featureResolverContract(
    async () => ({
      resolver: percentageOn(store),
      context: { targetingKey: "7", at: 0 },
      on: ["all", "new_menu"],
      off: ["none", "like_it", "constructor"],
    }),
    async () => {
      await using closed = await open();
      return percentageOn(closed);
    },
  );

  it("returns the share and the bucket", async () => {
    const { features, validUntil } = await percentageOn(store).resolve({ targetingKey: "7", at: 0 });
    expect(features.get("new_menu")).toEqual({
      on: true,
      value: true,
      reason: "SPLIT",
      metadata: { share: 34.58, bucket: 34.57, by: "targetingKey" },
    });
    expect(features.get("like_it")).toMatchObject({ on: false, reason: "SPLIT", metadata: { bucket: 34.57 } });
    expect(validUntil).toBe(Number.POSITIVE_INFINITY);
  });

  it("is off without the field of the rule, even at 100 %", async () => {
    const { features } = await percentageOn(store).resolve({ userId: "7", at: 0 });
    expect(features.get("all")).toEqual({
      on: false,
      value: false,
      reason: "DEFAULT",
      metadata: { share: 100, lacks: "targetingKey" },
    });
  });

  it.each<[string, Omit<EvaluationContext, "at">]>([
    ["targetingKey", { targetingKey: "7", userId: "8", locations: ["8"], attributes: { team: "8" } }],
    ["userId", { targetingKey: "8", userId: "7", locations: ["8"], attributes: { team: "8" } }],
    ["location", { targetingKey: "8", userId: "8", locations: ["7", "8"], attributes: { team: "8" } }],
    ["attributes.team", { targetingKey: "8", userId: "8", locations: ["8"], attributes: { team: 7 } }],
  ])("hashes by %s if configured", async (by, context) => {
    const collection = `by-${by.toLowerCase().replace(".", "-")}`;
    await put(store, { new_menu: { percentage: 50, by } }, collection);
    const { features } = await percentageOn(store, collection).resolve({ ...context, at: 0 });
    expect(features.get("new_menu")).toMatchObject({ on: true, metadata: { bucket: 34.57, by } });
  });

  it("is off, and reports a fault, for an invalid stored rule", async () => {
    const warnings: unknown[] = [];
    await put(store, { odd: { percentage: "all" }, good: { percentage: 100 } }, "odd");
    const { features } = await percentageOn(store, "odd", warnings).resolve({ targetingKey: "7", at: 0 });
    expect([features.get("odd")?.on, features.get("good")?.on]).toEqual([false, true]);
    expect(warnings).toEqual([{ source: "tested", fault: expect.stringMatching(/^rule for "odd": \/percentage is /) }]);
  });
});

describe("A percentage", () => {
  const rule = source.editable && "rules" in source.editable ? source.editable.rules(schemaTools([])) : z.never();
  const check = ruleCheck({ rule });

  it.each([
    { percentage: 0.07 },
    { percentage: 100, by: "userId", group: "spring" },
    { percentage: 1.15, by: "attributes.team" },
  ])("may be %j", (written) => {
    expect(check("feature", written)).toEqual({ rule: written });
  });

  it.each<[Json, { pointer: string; detail: string }]>([
    [{}, { pointer: "/percentage", detail: "is missing" }],
    [{ percentage: "5" }, { pointer: "/percentage", detail: "is invalid (expected number)" }],
    [{ percentage: 0.005 }, { pointer: "/percentage", detail: "is invalid (expected 0 to 100 in steps of 0.01)" }],
    [{ percentage: 101 }, { pointer: "/percentage", detail: "is invalid (expected 0 to 100 in steps of 0.01)" }],
    [
      { percentage: 5, by: "email" },
      {
        pointer: "/by",
        detail: "is an unknown field (expected targetingKey, userId, location or attributes.<name>)",
      },
    ],
    [
      { percentage: 5, group: "" },
      { pointer: "/group", detail: "is too small (minimum: 1 characters)" },
    ],
  ])("is not %j", (written, fault) => {
    expect(check("feature", written)).toMatchObject({ faults: [fault] });
  });
});
