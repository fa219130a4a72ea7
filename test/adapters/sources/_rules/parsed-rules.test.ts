import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ParsedRules } from "../../../../src/adapters/sources/_rules/parsed-rules.ts";
import type { Json } from "../../../../src/domain/evaluation/feature.ts";

describe("Parsed rules", () => {
  let parses: number;
  const warn = vi.fn();
  const schema = z.strictObject({ share: z.number() }).transform(({ share }) => {
    parses += 1;
    return { tenths: share * 10 };
  });

  beforeEach(() => {
    parses = 0;
    warn.mockClear();
    vi.useFakeTimers({ toFake: ["performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("are what the schema makes of each, the same map for the same rules", () => {
    const parsed = new ParsedRules(schema, warn);
    const rules = new Map<string, Json>([["a", { share: 5 }]]);
    const all = parsed.of(rules);
    expect(all).toEqual(new Map([["a", { tenths: 50 }]]));
    expect(parsed.of(rules)).toBe(all);
    expect(parses).toBe(1);
  });

  it("are parsed again only where they changed", () => {
    const parsed = new ParsedRules(schema, warn);
    const a = { share: 5 };
    const before = parsed.of(new Map<string, Json>(Object.entries({ a, b: { share: 6 } })));
    const after = parsed.of(new Map<string, Json>(Object.entries({ a, b: { share: 7 } })));
    expect(after).toEqual(new Map(Object.entries({ a: { tenths: 50 }, b: { tenths: 70 } })));
    expect(after.get("a")).toBe(before.get("a"));
    expect(parses).toBe(3);
  });

  it("leave out what is none, warn of that once a minute, and keep the others", () => {
    const parsed = new ParsedRules(schema, warn);
    const rules = () =>
      new Map<string, Json>([
        ["a", { share: 5 }],
        ["b", "half"],
        ["c", null],
      ]);
    expect([...parsed.of(rules()).keys()]).toEqual(["a"]);
    expect([...parsed.of(rules()).keys()]).toEqual(["a"]);
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([{ features: ["b", "c"], invalid: 2 }]);
    vi.advanceTimersByTime(60_000);
    parsed.of(rules());
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it("take what is none for another where there is one, but not where it is of no feature", () => {
    const parsed = new ParsedRules(schema, warn, { tenths: 0 });
    const rules = new Map<string, Json>([
      ["a", { share: 5 }],
      ["b", "half"],
      ["\u0001", { share: 5 }],
      ["\u0002", "half"],
    ]);
    expect([...parsed.of(rules)]).toEqual([
      ["a", { tenths: 50 }],
      ["b", { tenths: 0 }],
    ]);
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([{ features: ["b", "\u0001", "\u0002"], invalid: 3 }]);
  });
});
