import { beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { parsedRules } from "../../../../src/adapters/sources/_rules/parsed-rules.ts";
import type { Json } from "../../../../src/domain/evaluation/feature.ts";

describe("parsed rules", () => {
  let parses: number;
  const report = vi.fn();
  const schema = z.strictObject({ share: z.number() }).transform(({ share }) => {
    parses += 1;
    return { tenths: share * 10 };
  });

  beforeEach(() => {
    parses = 0;
    report.mockClear();
  });

  it("are the output of the schema, and the same map for the same rules", () => {
    const parsed = parsedRules(schema, report);
    const rules = new Map<string, Json>([["a", { share: 5 }]]);
    const all = parsed(rules);
    expect(all).toEqual(new Map([["a", { tenths: 50 }]]));
    expect(parsed(rules)).toBe(all);
    expect(parses).toBe(1);
  });

  it("are parsed again only if changed", () => {
    const parsed = parsedRules(schema, report);
    const a = { share: 5 };
    const before = parsed(new Map<string, Json>(Object.entries({ a, b: { share: 6 } })));
    const after = parsed(new Map<string, Json>(Object.entries({ a, b: { share: 7 } })));
    expect(after).toEqual(new Map(Object.entries({ a: { tenths: 50 }, b: { tenths: 70 } })));
    expect(after.get("a")).toBe(before.get("a"));
    expect(parses).toBe(3);
  });

  it("omit invalid rules, report them until they are valid, and keep the others", () => {
    const parsed = parsedRules(schema, report);
    const given = { a: { share: 5 }, b: "half", c: null };
    expect([...parsed(new Map<string, Json>(Object.entries(given))).keys()]).toEqual(["a"]);
    parsed(new Map<string, Json>(Object.entries({ ...given, c: { share: 6 } })));
    parsed(new Map<string, Json>(Object.entries({ a: given.a })));
    expect(report.mock.calls.map(([faults]) => faults)).toEqual([
      ['rule for "b": it is invalid (expected object)', 'rule for "c": it is invalid (expected object)'],
      ['rule for "b": it is invalid (expected object)'],
      [],
    ]);
  });

  it("replace an invalid rule by the default, but not a rule of an invalid feature key", () => {
    const parsed = parsedRules(schema, report, { tenths: 0 });
    const rules = new Map<string, Json>([
      ["a", { share: 5 }],
      ["b", "half"],
      ["\u0001", { share: 5 }],
      ["\u0002", "half"],
    ]);
    expect([...parsed(rules)]).toEqual([
      ["a", { tenths: 50 }],
      ["b", { tenths: 0 }],
    ]);
    expect(report).toHaveBeenLastCalledWith([
      expect.stringMatching(/^rule for "b": it /),
      expect.stringMatching(/^rule for "\\u0001": Invalid feature key/),
      expect.stringMatching(/^rule for "\\u0002": Invalid feature key/),
    ]);
  });

  it("report an invalid rule again after a change of another one, if a default replaces it", () => {
    const parsed = parsedRules(schema, report, { tenths: 0 });
    for (const share of [1, 2]) parsed(new Map<string, Json>(Object.entries({ a: { share }, b: "half" })));
    expect(report).toHaveBeenLastCalledWith([expect.stringMatching(/^rule for "b": it /)]);
  });
});
