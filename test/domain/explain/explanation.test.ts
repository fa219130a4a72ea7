import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { merge } from "../../../src/domain/evaluation/merge.ts";
import type { Role } from "../../../src/domain/evaluation/source.ts";
import type { Resolution } from "../../../src/domain/evaluation/source-result.ts";
import {
  type Cause,
  explain,
  knownFeatures,
  type NoResultReason,
  type SourceOutcome,
} from "../../../src/domain/explain/explanation.ts";

type Sketch = {
  name: string;
  role?: Role;
  gatedBy?: string[];
  default?: "allow" | "deny";
  /** Whether the source has the feature "a" on or off; absent if it does not list it. */
  state?: boolean | NoResultReason | undefined;
};

const resolution = (name: string, on: boolean): Resolution => ({ on, value: name, variant: name, reason: "STATIC" });

const outcomeOf = ({
  name,
  role = "grant",
  gatedBy = [],
  default: byDefault = "deny",
  state,
}: Sketch): SourceOutcome => ({
  source: { name, role, gatedBy, default: byDefault },
  features: typeof state === "string" ? state : new Map(state === undefined ? [] : [["a", resolution(name, state)]]),
});

const grant = { name: "grant", state: true };
const gated = { ...grant, gatedBy: ["gate"] };
const gate: Sketch = { name: "gate", role: "gate" };
const veto: Sketch = { name: "veto", role: "veto" };

describe("the explanation of a feature", () => {
  it.each<[string, Sketch[], boolean | undefined, Cause]>([
    ["there are no sources", [], false, { kind: "ungranted" }],
    ["a grant does not list it", [{ name: "grant" }], false, { kind: "ungranted" }],
    ["a grant has it off", [{ name: "grant", state: false }], false, { kind: "ungranted" }],
    ["a grant has it", [grant], true, { kind: "granted", grant: "grant", gates: [] }],
    [
      "two grants have it (the first is named)",
      [{ name: "none" }, grant, { name: "other", state: true }],
      true,
      { kind: "granted", grant: "grant", gates: [] },
    ],
    ["a gate has it", [gated, { ...gate, state: true }], true, { kind: "granted", grant: "grant", gates: ["gate"] }],
    ["a gate does not list it", [gated, gate], false, { kind: "held", grant: "grant", gate: "gate" }],
    ["a gate has it off", [gated, { ...gate, state: false }], false, { kind: "held", grant: "grant", gate: "gate" }],
    [
      "a gate with default allow does not list it",
      [gated, { ...gate, default: "allow" }],
      true,
      { kind: "granted", grant: "grant", gates: ["gate"] },
    ],
    ["its gate is missing", [gated], false, { kind: "held", grant: "grant", gate: "gate" }],
    [
      "two gates deny it (the first is named)",
      [{ ...grant, gatedBy: ["open", "gate", "third"] }, { ...gate, name: "open", state: true }, gate],
      false,
      { kind: "held", grant: "grant", gate: "gate" },
    ],
    [
      "one grant is denied and another is not",
      [gated, gate, { name: "other", state: true }],
      true,
      { kind: "granted", grant: "other", gates: [] },
    ],
    ["a veto has it", [grant, { ...veto, state: true }], false, { kind: "vetoed", veto: "veto" }],
    ["only a veto has it", [{ ...veto, state: true }], false, { kind: "vetoed", veto: "veto" }],
    ["a veto has it off", [grant, { ...veto, state: false }], true, { kind: "granted", grant: "grant", gates: [] }],
    [
      "a grant has no history",
      [{ name: "grant", state: "no-history" }],
      undefined,
      { kind: "undetermined", dependsOn: ["grant"] },
    ],
    [
      "a grant is unavailable",
      [{ name: "grant", state: "unavailable" }],
      undefined,
      { kind: "undetermined", dependsOn: ["grant"] },
    ],
    ["a grant is skipped", [{ name: "grant", state: "skipped" }], false, { kind: "ungranted" }],
    [
      "a grant has no result, but its gate denies it",
      [{ ...gated, state: "no-history" }, gate],
      false,
      { kind: "ungranted" },
    ],
    [
      "a grant has no result, but another has it",
      [{ name: "first", state: "no-history" }, grant],
      true,
      { kind: "granted", grant: "grant", gates: [] },
    ],
    [
      "a gate has no history",
      [gated, { ...gate, state: "no-history" }],
      undefined,
      { kind: "undetermined", dependsOn: ["gate"] },
    ],
    ["a gate has no history, and no grant has it", [{ ...gate, state: "no-history" }], false, { kind: "ungranted" }],
    [
      "a veto has no history",
      [grant, { ...veto, state: "no-history" }],
      undefined,
      { kind: "undetermined", dependsOn: ["veto"] },
    ],
    ["a veto has no result, and no grant has it", [{ ...veto, state: "unavailable" }], false, { kind: "ungranted" }],
    [
      "a veto has no history, and another has it",
      [grant, { ...veto, state: "no-history" }, { ...veto, name: "killed", state: true }],
      false,
      { kind: "vetoed", veto: "killed" },
    ],
    [
      "grant, gate and veto have no history",
      [
        { ...gated, state: "no-history" },
        { ...gate, state: "unavailable" },
        { ...veto, state: "no-history" },
      ],
      undefined,
      { kind: "undetermined", dependsOn: ["grant", "gate", "veto"] },
    ],
  ])("where %s", (_, sketches, on, cause) => {
    expect(explain("a", sketches.map(outcomeOf))).toMatchObject({ feature: "a", on, cause });
  });

  it("returns the result of each source in order", () => {
    const sketches = [grant, { name: "b", state: false }, gate, { ...veto, state: "skipped" as const }];
    expect(explain("a", sketches.map(outcomeOf)).results).toEqual([
      { source: "grant", result: "on" },
      { source: "b", result: "off" },
      { source: "gate", result: "absent" },
      { source: "veto", result: "skipped" },
    ]);
  });

  it("covers the features that some source lists", () => {
    const state = new Map([["b", resolution("x", false)]]);
    const rule = { name: "x", role: "veto", gatedBy: [], default: "deny" } as const;
    expect([
      ...knownFeatures([
        outcomeOf(grant),
        { source: rule, features: state },
        outcomeOf({ name: "s", state: "no-history" }),
      ]),
    ]).toEqual(["a", "b"]);
  });
});

const state = fc.constantFrom(true, false, undefined);
const noResults = fc.constantFrom<NoResultReason>("no-history", "unavailable", "skipped");
const gateNames = ["x", "y", "z"];
const sourcesOf = (states: fc.Arbitrary<Sketch["state"]>): fc.Arbitrary<Sketch[]> => {
  const sketch = (sketch: Sketch, more: { default?: "allow" | "deny"; state?: Sketch["state"] }): Sketch => ({
    ...sketch,
    ...more,
  });
  const gates = gateNames.map((name) =>
    fc
      .record({ state: states, default: fc.constantFrom("allow" as const, "deny" as const) })
      .map((more) => sketch({ name, role: "gate" }, more)),
  );
  const grants = [0, 1, 2].map((index) =>
    fc
      .record({ state: states, gatedBy: fc.subarray(gateNames) })
      .map((more): Sketch => ({ name: `g${index}`, ...more })),
  );
  const vetoes = [0, 1].map((index) =>
    states.map((state) => sketch({ name: `v${index}`, role: "veto" }, { state: state })),
  );
  return fc.tuple(...gates, ...grants, ...vetoes);
};

/** The merged resolution. Sources without a result are omitted. */
const merged = (sketches: readonly Sketch[]) =>
  merge(
    sketches
      .map(outcomeOf)
      .flatMap(({ source, features }) => (typeof features === "string" ? [] : [{ source, features }])),
  ).get("a");

/** All possible results of the sources without one. */
const completions = (sketches: readonly Sketch[]): readonly (readonly Sketch[])[] =>
  sketches.reduce<readonly (readonly Sketch[])[]>(
    (all, sketch) => {
      const isOpen = sketch.state === "no-history" || sketch.state === "unavailable";
      const ways: Sketch[] = isOpen ? [true, false, undefined].map((state) => ({ ...sketch, state: state })) : [sketch];
      return all.flatMap((before) => ways.map((way) => [...before, way]));
    },
    [[]],
  );

describe("the explanation, for any sources", () => {
  it("agrees with the merge, and has its resolution", () => {
    fc.assert(
      fc.property(sourcesOf(fc.oneof(state, fc.constant("skipped" as const))), (sketches) => {
        const { on, resolution } = explain("a", sketches.map(outcomeOf));
        expect(on).toBe(merged(sketches) !== undefined);
        expect(resolution).toEqual(merged(sketches));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is undetermined exactly if missing results could change the merge", () => {
    fc.assert(
      fc.property(sourcesOf(fc.oneof({ weight: 3, arbitrary: state }, noResults)), (sketches) => {
        fc.pre(sketches.filter((sketch) => typeof sketch.state === "string").length <= 4);
        const outcomes = new Set(completions(sketches).map((all) => merged(all) !== undefined));
        const { on } = explain("a", sketches.map(outcomeOf));
        expect(outcomes).toEqual(new Set(on === undefined ? [true, false] : [on]));
      }),
      { numRuns: 1_000 },
    );
  });

  it("names the sources without results if undetermined", () => {
    fc.assert(
      fc.property(sourcesOf(fc.oneof(state, noResults)), (sketches) => {
        const { cause } = explain("a", sketches.map(outcomeOf));
        if (cause.kind !== "undetermined") return;
        expect(cause.dependsOn.length).toBeGreaterThan(0);
        for (const name of cause.dependsOn) {
          expect(["no-history", "unavailable"]).toContain(sketches.find((sketch) => sketch.name === name)?.state);
        }
      }),
    );
  });
});
