import type { EvaluationContext } from "@openfeature/core";
import { FeatureFlag, type Flag } from "@openfeature/flagd-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ruleCheck } from "../../../../src/adapters/sources/_rules/rule-check.ts";
import { source } from "../../../../src/adapters/sources/flagd/source.ts";
import { storedRules } from "../../../../src/adapters/sources/flagd/stored-rules.ts";
import { schemaTools } from "../../../../src/bootstrap/config/schema-tools.ts";
import type { Json } from "../../../../src/domain/evaluation/feature.ts";
import { featureResolverContract } from "../../../contracts/feature-resolver.contract.ts";
import { hostOn } from "../../../support/source-host.ts";
import { aChange, redisStore, sqliteStore, type TestStore } from "../../../support/stores.ts";

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const plain = { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "off" } as const;
const spain = { "==": [{ var: "country" }, "ES"] };
const forSegment = (name: string) => ({ ...plain, targeting: { if: [{ $ref: name }, "on"] } });
const inSpain = { at: 0, attributes: { country: "ES" } };

describe.each([
  ["Redis", redisStore],
  ["SQLite", async () => sqliteStore()],
])("kind flagd over %s", (_, open: () => Promise<TestStore>) => {
  let store: TestStore;
  const put = (name: string, value: Json) =>
    store.connection.documents.put({ ...aChange(), collection: "flags", name, value });
  beforeAll(async () => {
    store = await open();
    await put("checkout", forSegment("spain"));
    await put("search", plain);
    await put("$spain", spain);
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
  });
  const resolverOn = ({ connection }: TestStore) =>
    source.create(
      source.options(schemaTools(undefined)).parse({ connection: "store" }),
      hostOn(connection, { collection: "flags" }),
    );

  featureResolverContract(
    async () => ({ resolver: resolverOn(store), context: inSpain, on: ["checkout"], off: ["search"] }),
    async () => {
      await using closed = await open();
      return resolverOn(closed);
    },
  );

  it("depends on its read of the store, and is valid until that read changes", async () => {
    const { dependencies, validUntil } = await resolverOn(store).resolve(inSpain);
    expect([dependencies?.length, validUntil]).toEqual([1, Number.POSITIVE_INFINITY]);
  });
});

describe("stored flags", () => {
  const evaluate = (rules: Readonly<Record<string, Json>>, context = inSpain) => {
    const compiled = storedRules(() => {})(new Map(Object.entries(rules)));
    const { features } = compiled.evaluate(context);
    return { on: Object.fromEntries([...features].map(([name, { on }]) => [name, on])), faults: compiled.faults };
  };

  it("share segments, which can refer to segments, in any order", () => {
    const rules = {
      first: forSegment("adults-in-spain"),
      "$adults-in-spain": { and: [{ $ref: "spain" }, { ">=": [{ var: "age" }, 18] }] },
      $spain: spain,
    };
    const adult = { at: 0, attributes: { country: "ES", age: 18 } };
    expect(evaluate(rules, adult)).toEqual({ on: { first: true }, faults: [] });
    expect(evaluate(rules).on).toEqual({ first: false });
  });

  const long = Object.fromEntries(
    Array.from({ length: 600 }, (_, index): [string, Json] => [`$s${index}`, { "!": [{ $ref: `s${index + 1}` }] }]),
  );
  const bomb = Object.fromEntries(
    Array.from({ length: 40 }, (_, index): [string, Json] => [
      `$s${index}`,
      { and: [{ $ref: `s${index + 1}` }, { $ref: `s${index + 1}` }] },
    ]),
  );
  it.each<[string, Readonly<Record<string, Json>>, RegExp]>([
    ["is missing", {}, /segment "s0" does not exist/],
    ["refers to itself", { $s0: { "!": [{ $ref: "s0" }] } }, /in a cycle: "s0" -> "s0"/],
    ["is in a cycle", { $s0: { $ref: "s1" }, $s1: { $ref: "s0" } }, /in a cycle: "s0" -> "s1" -> "s0"/],
    ["is nested too deep", { ...long, $s600: spain }, /nested deeper than 500 levels/],
    ["multiplies its segments", { ...bomb, $s40: spain }, /more than 20,000 values/],
    ["is no rule", { $s0: { no_such_rule: [1] } }, /Invalid targeting/],
  ])("are off, with a fault, if their segment %s, without an effect on other flags", (_, segments, fault) => {
    const { on, faults } = evaluate({ flag: forSegment("s0"), other: { ...plain, defaultVariant: "on" }, ...segments });
    expect(on).toEqual({ flag: false, other: true });
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults[0]).toMatch(/^flag "flag": /);
  });

  it("are compiled again only if they or their segments change", () => {
    const reports: (readonly string[])[] = [];
    const stored = storedRules(({ faults }) => reports.push(faults));
    const rules = new Map<string, Json>([
      ["$spain", spain],
      ["checkout", forSegment("spain")],
      ["search", { ...plain, defaultVariant: "on" }],
    ]);
    const first = stored(rules);
    expect(stored(rules)).toBe(first);
    const other = stored(new Map([...rules, ["$spain", { "==": [{ var: "country" }, "PT"] }]]));
    expect(first.evaluate(inSpain).features.get("checkout")?.on).toBe(true);
    expect(other.evaluate(inSpain).features.get("checkout")?.on).toBe(false);
    expect(
      stored(new Map([...rules].slice(1)))
        .evaluate(inSpain)
        .features.get("checkout")?.on,
    ).toBe(false);
    expect(reports).toEqual([[], [], ['flag "checkout": segment "spain" does not exist; add it, or correct the $ref']]);
  });
});

describe("the targeting of a flag", () => {
  const targetings: readonly Json[] = [
    { if: [spain, "on"] },
    { if: [{ sem_ver: [{ var: "version" }, ">=", "2.3"] }, "on", "off"] },
    {
      fractional: [
        ["on", 1],
        ["off", 1],
      ],
    },
    { fractional: [{ var: "country" }, ["on", 1], ["off", 1]] },
    { if: [{ starts_with: [{ var: "country" }, "E"] }, "nowhere", null] },
    { "+": [1, { var: "missing" }] },
    spain,
  ];
  const library = (key: string, targeting: Json) =>
    new FeatureFlag(key, { ...plain, targeting } as unknown as Flag, silent, { disableDynamicCodeGeneration: true });

  it("returns what flagd's own evaluation returns, and evaluates without a copy of the context for each flag", () => {
    let copies = 0;
    const original = FeatureFlag.prototype.evaluate;
    for (const [index, targeting] of targetings.entries()) {
      const key = `flag${index}`;
      const rules = storedRules(() => {})(new Map([[key, { ...plain, targeting }]]));
      for (const country of ["ES", "PT", "", null]) {
        for (const targetingKey of ["a", "b", "c"]) {
          const attributes = { country, version: country === "ES" ? "2.4" : "1.0" };
          FeatureFlag.prototype.evaluate = function (...args) {
            copies += 1;
            return original.apply(this, args);
          };
          const result = rules.evaluate({ at: 0, targetingKey, attributes }).features.get(key);
          FeatureFlag.prototype.evaluate = original;
          const expected = library(key, targeting).evaluate({ ...attributes, targetingKey } as EvaluationContext);
          expect(result?.value).toEqual(expected.value ?? null);
          expect(result?.variant).toBe(expected.variant);
          if (expected.reason !== "ERROR") expect(result?.reason).toBe(expected.reason);
        }
      }
    }
    // Only non-variant results need the library's error: at most those of three targetings.
    expect(copies).toBeLessThanOrEqual(3 * 12);
  });
});

describe("a rule of a flag or segment", () => {
  const { editable } = source;
  const tools = schemaTools([]);
  const check =
    editable && "rules" in editable
      ? ruleCheck({ rule: editable.rules(tools), segment: editable.segments?.(tools) })
      : ruleCheck({ rule: z.never() });
  const nested = (levels: number): Json => (levels === 0 ? spain : { "!": [nested(levels - 1)] });

  it.each<[string, Json]>([
    ["flag", { ...plain, targeting: { if: [{ and: [{ $ref: "any" }, spain] }, "on", "off"] } }],
    ["flag", { ...plain, targeting: { $ref: "any" }, metadata: { owner: "search" }, description: "a flag" }],
    [
      "flag",
      {
        ...plain,
        targeting: {
          fractional: [
            ["on", 10],
            ["off", 90],
          ],
        },
      },
    ],
    [
      "flag",
      {
        ...plain,
        targeting: { if: [{ in: [{ var: "id" }, Array.from({ length: 9_000 }, () => "0123456789")] }, "on"] },
      },
    ],
    ["flag", { state: "DISABLED", variants: { a: "x", b: "y" } }],
    ["$spain", spain],
    ["$both", { and: [{ $ref: "spain" }, { sem_ver: [{ var: "version" }, ">=", "2.3"] }] }],
  ])("may be %s: %j", (name, rule) => {
    expect(check(name, rule)).toEqual({ rule });
  });

  it.each<[string, string, Json, { pointer: string; detail: RegExp | string }]>([
    ["no state", "flag", { variants: { on: true } }, { pointer: "/state", detail: /expected ENABLED, DISABLED/ }],
    ["no variants", "flag", { state: "ENABLED" }, { pointer: "/variants", detail: "is missing" }],
    [
      "an empty map of variants",
      "flag",
      { ...plain, variants: {} },
      { pointer: "/variants", detail: /has no variant/ },
    ],
    [
      "variants of several types",
      "flag",
      { ...plain, variants: { on: true, off: 1 } },
      { pointer: "/variants/off", detail: /is invalid/ },
    ],
    [
      "an unknown default",
      "flag",
      { ...plain, defaultVariant: "blue" },
      { pointer: "/defaultVariant", detail: "is not one of its variants; name one of them" },
    ],
    [
      "an unknown operator",
      "flag",
      { ...plain, targeting: { if: [{ equals: [1, 1] }, "on"] } },
      { pointer: "/targeting/if/0", detail: /"equals" is not an operation/ },
    ],
    [
      "a result that is no variant",
      "flag",
      { ...plain, targeting: { if: [spain, "on", { if: [spain, "onn"] }] } },
      { pointer: "/targeting/if/2/if/1", detail: /not one of its variants/ },
    ],
    [
      "a share of no variant",
      "flag",
      {
        ...plain,
        targeting: {
          fractional: [
            ["on", 1],
            ["of", 1],
          ],
        },
      },
      { pointer: "/targeting/fractional/1/0", detail: /not one of its variants/ },
    ],
    [
      "a misspelt member",
      "flag",
      { ...plain, default_variant: "on" },
      { pointer: "/default_variant", detail: "is ignored by flagd; write defaultVariant" },
    ],
    [
      "a reference that is no name",
      "flag",
      { ...plain, targeting: { if: [{ $ref: 1 }, "on"] } },
      { pointer: "/targeting/if/0/$ref", detail: /must be string/ },
    ],
    ["a text", "flag", "on", { pointer: "", detail: /expected object/ }],
    [
      "too many levels",
      "flag",
      { ...plain, targeting: nested(3_000) },
      { pointer: "", detail: "is nested deeper than 500 levels" },
    ],
    [
      "an unknown operator in a segment",
      "$adults",
      { and: [{ older: [18] }] },
      { pointer: "/and/0", detail: /"older" is not an operation/ },
    ],
    ["a list for a segment", "$adults", [], { pointer: "", detail: /expected object/ }],
    ["a flag for a segment", "$adults", plain, { pointer: "", detail: /is not an operation/ }],
    ["an invalid name", "$", spain, { pointer: "", detail: /invalid segment name/ }],
    ["an invalid name", "$a b", spain, { pointer: "", detail: /invalid segment name/ }],
  ])("is rejected with %s (%s)", (_, name, rule, { pointer, detail }) => {
    const result = check(name, rule);
    const [first] = "faults" in result ? result.faults : [];
    expect(first).toEqual({ pointer, detail: typeof detail === "string" ? detail : expect.stringMatching(detail) });
  });
});
