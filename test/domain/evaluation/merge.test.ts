import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { grantOf, merge, type SourceFeatures } from "../../../src/domain/evaluation/merge.ts";
import type { Role } from "../../../src/domain/evaluation/source.ts";
import type { Resolution } from "../../../src/domain/evaluation/source-result.ts";

type Sketch = {
  name: string;
  role?: Role;
  gatedBy?: string[];
  default?: "allow" | "deny";
  on?: string[];
  off?: string[];
};

const say = ({
  name,
  role = "grant",
  gatedBy = [],
  default: byDefault = "deny",
  on = [],
  off = [],
}: Sketch): SourceFeatures => ({
  source: { name, role, gatedBy, default: byDefault },
  features: new Map<string, Resolution>([
    ...off.map((key) => [key, { on: false, value: false, reason: "DISABLED" }] as const),
    ...on.map((key) => [key, { on: true, value: name, variant: name, reason: "STATIC" }] as const),
  ]),
});

const merged = (...sketches: Sketch[]) => [...merge(sketches.map(say)).keys()].sort();

describe("the merge rule", () => {
  it.each<[string, Sketch[], string[]]>([
    ["nothing is on without a source", [], []],
    ["a grant switches on", [{ name: "g", on: ["a"] }], ["a"]],
    ["a feature that its only grant has off is off", [{ name: "g", off: ["a"] }], []],
    [
      "another grant may switch on a feature that one grant has off",
      [
        { name: "g", off: ["a"] },
        { name: "h", on: ["a"] },
      ],
      ["a"],
    ],
    [
      "grants add up",
      [
        { name: "g", on: ["a"] },
        { name: "h", on: ["b"] },
      ],
      ["a", "b"],
    ],
    ["a gate alone switches nothing on", [{ name: "gate", role: "gate", on: ["a"] }], []],
    [
      "a gate lets through what it has, of the grants that name it",
      [
        { name: "gate", role: "gate", on: ["a"] },
        { name: "g", gatedBy: ["gate"], on: ["a", "b"] },
      ],
      ["a"],
    ],
    [
      "a gate has no effect on a grant without it in gatedBy",
      [
        { name: "gate", role: "gate", on: [] },
        { name: "g", on: ["a"] },
      ],
      ["a"],
    ],
    [
      "a gate with default allow denies only the features that it has off",
      [
        { name: "gate", role: "gate", default: "allow", off: ["a"] },
        { name: "g", gatedBy: ["gate"], on: ["a", "b"] },
      ],
      ["b"],
    ],
    [
      "several gates must all let through",
      [
        { name: "x", role: "gate", on: ["a", "b"] },
        { name: "y", role: "gate", on: ["b", "c"] },
        { name: "g", gatedBy: ["x", "y"], on: ["a", "b", "c"] },
      ],
      ["b"],
    ],
    [
      "a feature denied for one grant may be on by another",
      [
        { name: "x", role: "gate", on: [] },
        { name: "g", gatedBy: ["x"], on: ["a"] },
        { name: "h", on: ["a"] },
      ],
      ["a"],
    ],
    [
      "a veto switches off whatever anybody granted",
      [
        { name: "g", on: ["a", "b"] },
        { name: "h", on: ["a"] },
        { name: "v", role: "veto", on: ["a"] },
      ],
      ["b"],
    ],
    [
      "a veto that has a feature off has no effect",
      [
        { name: "g", on: ["a"] },
        { name: "v", role: "veto", off: ["a"] },
      ],
      ["a"],
    ],
    ["a gate that did not speak lets nothing through", [{ name: "g", gatedBy: ["gone"], on: ["a"] }], []],
  ])("%s", (_, sketches, expected) => {
    expect(merged(...sketches)).toEqual(expected);
  });

  it("takes value and variant from the first granting source in the order given", () => {
    const cached = { name: "held", gatedBy: ["gone"], on: ["a"] };
    const on = merge([cached, { name: "first", on: ["a"] }, { name: "second", on: ["a"] }].map(say));
    expect(on.get("a")).toMatchObject({ value: "first", variant: "first" });
  });
});

const features = ["a", "b", "c", "constructor"];
const gateNames = ["x", "y", "z"];
const known = fc.record({ on: fc.subarray(features), off: fc.subarray(features) }).map(({ on, off }) => ({
  on,
  off: off.filter((feature) => !on.includes(feature)),
}));
const gates = fc.tuple(
  ...gateNames.map((name) =>
    fc
      .tuple(known, fc.constantFrom("allow" as const, "deny" as const))
      .map(([knows, byDefault]): Sketch => ({ name, role: "gate", default: byDefault, ...knows })),
  ),
);
const grants = fc.array(
  fc.tuple(known, fc.subarray(gateNames)).map(([knows, gatedBy]): Sketch => ({ name: "g", gatedBy, ...knows })),
  { maxLength: 4 },
);
const vetoes = fc.array(
  known.map((knows): Sketch => ({ name: "v", role: "veto", ...knows })),
  { maxLength: 2 },
);

describe("the merge rule, for any sources", () => {
  it("equals its definition", () => {
    fc.assert(
      fc.property(gates, grants, vetoes, (gates, grants, vetoes) => {
        const passes = (name: string, feature: string) => {
          const gate = gates.find((candidate) => candidate.name === name);
          if (gate?.on?.includes(feature)) return true;
          return !gate?.off?.includes(feature) && gate?.default === "allow";
        };
        const expected = features.filter(
          (feature) =>
            !vetoes.some(({ on }) => on?.includes(feature)) &&
            grants.some(({ on, gatedBy }) => on?.includes(feature) && gatedBy?.every((gate) => passes(gate, feature))),
        );
        expect(merged(...gates, ...grants, ...vetoes)).toEqual(expected.sort());
        const results = [...gates, ...grants, ...vetoes].map(say);
        expect(features.filter((feature) => grantOf(results, feature)).sort()).toEqual(expected.sort());
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not depend on the order of the sources", () => {
    fc.assert(
      fc.property(gates, grants, vetoes, fc.infiniteStream(fc.nat()), (gates, grants, vetoes, dice) => {
        const sources = [...gates, ...grants, ...vetoes];
        const shuffled = sources
          .map((source) => ({ source, at: dice.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ source }) => source);
        expect(merged(...shuffled)).toEqual(merged(...sources));
      }),
    );
  });

  it("never switches more features on with another veto, nor fewer with another grant", () => {
    fc.assert(
      fc.property(gates, grants, vetoes, known, (gates, grants, vetoes, more) => {
        const before = merged(...gates, ...grants, ...vetoes);
        const vetoed = merged(...gates, ...grants, ...vetoes, { name: "n", role: "veto", ...more });
        const granted = merged(...gates, ...grants, ...vetoes, { name: "n", ...more });
        expect(before).toEqual(expect.arrayContaining(vetoed));
        expect(granted).toEqual(expect.arrayContaining(before));
      }),
    );
  });
});
