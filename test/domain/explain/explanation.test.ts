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
  says?: boolean | NoResultReason | undefined;
};

const resolution = (name: string, on: boolean): Resolution => ({ on, value: name, variant: name, reason: "STATIC" });

const hearing = ({ name, role = "grant", gatedBy = [], default: byDefault = "deny", says }: Sketch): SourceOutcome => ({
  source: { name, role, gatedBy, default: byDefault },
  result: typeof says === "string" ? says : new Map(says === undefined ? [] : [["a", resolution(name, says)]]),
});

const grant = { name: "grant", says: true };
const gated = { ...grant, gatedBy: ["gate"] };
const gate: Sketch = { name: "gate", role: "gate" };
const veto: Sketch = { name: "veto", role: "veto" };

describe("the explanation of a feature", () => {
  it.each<[string, Sketch[], boolean | undefined, Cause]>([
    ["there are no sources", [], false, { kind: "ungranted" }],
    ["a grant does not list it", [{ name: "grant" }], false, { kind: "ungranted" }],
    ["a grant has it off", [{ name: "grant", says: false }], false, { kind: "ungranted" }],
    ["a grant has it", [grant], true, { kind: "granted", grant: "grant", gates: [] }],
    [
      "two grants have it (the first is named)",
      [{ name: "none" }, grant, { name: "other", says: true }],
      true,
      { kind: "granted", grant: "grant", gates: [] },
    ],
    ["a gate has it", [gated, { ...gate, says: true }], true, { kind: "granted", grant: "grant", gates: ["gate"] }],
    ["a gate does not list it", [gated, gate], false, { kind: "held", grant: "grant", gate: "gate" }],
    ["a gate has it off", [gated, { ...gate, says: false }], false, { kind: "held", grant: "grant", gate: "gate" }],
    [
      "a gate with default allow does not list it",
      [gated, { ...gate, default: "allow" }],
      true,
      { kind: "granted", grant: "grant", gates: ["gate"] },
    ],
    ["its gate is missing", [gated], false, { kind: "held", grant: "grant", gate: "gate" }],
    [
      "two gates deny it (the first is named)",
      [{ ...grant, gatedBy: ["open", "gate", "third"] }, { ...gate, name: "open", says: true }, gate],
      false,
      { kind: "held", grant: "grant", gate: "gate" },
    ],
    [
      "one grant is denied and another is not",
      [gated, gate, { name: "other", says: true }],
      true,
      { kind: "granted", grant: "other", gates: [] },
    ],
    ["a veto has it", [grant, { ...veto, says: true }], false, { kind: "vetoed", veto: "veto" }],
    ["only a veto has it", [{ ...veto, says: true }], false, { kind: "vetoed", veto: "veto" }],
    ["a veto has it off", [grant, { ...veto, says: false }], true, { kind: "granted", grant: "grant", gates: [] }],
    ["a grant has no history", [{ name: "grant", says: "no-history" }], undefined, { kind: "open", silent: ["grant"] }],
    [
      "a grant is unavailable",
      [{ name: "grant", says: "unavailable" }],
      undefined,
      { kind: "open", silent: ["grant"] },
    ],
    ["a grant is skipped", [{ name: "grant", says: "skipped" }], false, { kind: "ungranted" }],
    [
      "a grant has no result, but its gate denies it",
      [{ ...gated, says: "no-history" }, gate],
      false,
      { kind: "ungranted" },
    ],
    [
      "a grant has no result, but another has it",
      [{ name: "first", says: "no-history" }, grant],
      true,
      { kind: "granted", grant: "grant", gates: [] },
    ],
    ["a gate has no history", [gated, { ...gate, says: "no-history" }], undefined, { kind: "open", silent: ["gate"] }],
    ["a gate has no history, and no grant has it", [{ ...gate, says: "no-history" }], false, { kind: "ungranted" }],
    ["a veto has no history", [grant, { ...veto, says: "no-history" }], undefined, { kind: "open", silent: ["veto"] }],
    ["a veto has no result, and no grant has it", [{ ...veto, says: "unavailable" }], false, { kind: "ungranted" }],
    [
      "a veto has no history, and another has it",
      [grant, { ...veto, says: "no-history" }, { ...veto, name: "killed", says: true }],
      false,
      { kind: "vetoed", veto: "killed" },
    ],
    [
      "grant, gate and veto have no history",
      [
        { ...gated, says: "no-history" },
        { ...gate, says: "unavailable" },
        { ...veto, says: "no-history" },
      ],
      undefined,
      { kind: "open", silent: ["grant", "gate", "veto"] },
    ],
  ])("where %s", (_, sketches, on, cause) => {
    expect(explain("a", sketches.map(hearing))).toMatchObject({ feature: "a", on, cause });
  });

  it("returns the result of each source in order", () => {
    const sketches = [grant, { name: "b", says: false }, gate, { ...veto, says: "skipped" as const }];
    expect(explain("a", sketches.map(hearing)).results).toEqual([
      { source: "grant", result: "on" },
      { source: "b", result: "off" },
      { source: "gate", result: "absent" },
      { source: "veto", result: "skipped" },
    ]);
  });

  it("covers the features that some source lists", () => {
    const said = new Map([["b", resolution("x", false)]]);
    const rule = { name: "x", role: "veto", gatedBy: [], default: "deny" } as const;
    expect([
      ...knownFeatures([hearing(grant), { source: rule, result: said }, hearing({ name: "s", says: "no-history" })]),
    ]).toEqual(["a", "b"]);
  });
});

const says = fc.constantFrom(true, false, undefined);
const silences = fc.constantFrom<NoResultReason>("no-history", "unavailable", "skipped");
const gateNames = ["x", "y", "z"];
const sourcesOf = (say: fc.Arbitrary<Sketch["says"]>): fc.Arbitrary<Sketch[]> => {
  const sketch = (sketch: Sketch, more: { default?: "allow" | "deny"; says?: Sketch["says"] }): Sketch => ({
    ...sketch,
    ...more,
  });
  const gates = gateNames.map((name) =>
    fc
      .record({ says: say, default: fc.constantFrom("allow" as const, "deny" as const) })
      .map((more) => sketch({ name, role: "gate" }, more)),
  );
  const grants = [0, 1, 2].map((index) =>
    fc.record({ says: say, gatedBy: fc.subarray(gateNames) }).map((more): Sketch => ({ name: `g${index}`, ...more })),
  );
  const vetoes = [0, 1].map((index) => say.map((said) => sketch({ name: `v${index}`, role: "veto" }, { says: said })));
  return fc.tuple(...gates, ...grants, ...vetoes);
};

/** The merged resolution. Sources without a result are omitted. */
const merged = (sketches: readonly Sketch[]) =>
  merge(
    sketches
      .map(hearing)
      .flatMap(({ source: rule, result: said }) =>
        typeof said === "string" ? [] : [{ source: rule, features: said }],
      ),
  ).get("a");

/** All possible results of the sources without one. */
const completions = (sketches: readonly Sketch[]): readonly (readonly Sketch[])[] =>
  sketches.reduce<readonly (readonly Sketch[])[]>(
    (all, sketch) => {
      const isOpen = sketch.says === "no-history" || sketch.says === "unavailable";
      const ways: Sketch[] = isOpen ? [true, false, undefined].map((said) => ({ ...sketch, says: said })) : [sketch];
      return all.flatMap((before) => ways.map((way) => [...before, way]));
    },
    [[]],
  );

describe("the explanation, for any sources", () => {
  it("agrees with the merge, and has its resolution", () => {
    fc.assert(
      fc.property(sourcesOf(fc.oneof(says, fc.constant("skipped" as const))), (sketches) => {
        const { on, resolution } = explain("a", sketches.map(hearing));
        expect(on).toBe(merged(sketches) !== undefined);
        expect(resolution).toEqual(merged(sketches));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is undetermined exactly if missing results could change the merge", () => {
    fc.assert(
      fc.property(sourcesOf(fc.oneof({ weight: 3, arbitrary: says }, silences)), (sketches) => {
        fc.pre(sketches.filter((sketch) => typeof sketch.says === "string").length <= 4);
        const outcomes = new Set(completions(sketches).map((all) => merged(all) !== undefined));
        const { on } = explain("a", sketches.map(hearing));
        expect(outcomes).toEqual(new Set(on === undefined ? [true, false] : [on]));
      }),
      { numRuns: 1_000 },
    );
  });

  it("names the sources without results if undetermined", () => {
    fc.assert(
      fc.property(sourcesOf(fc.oneof(says, silences)), (sketches) => {
        const { cause } = explain("a", sketches.map(hearing));
        if (cause.kind !== "open") return;
        expect(cause.silent.length).toBeGreaterThan(0);
        for (const name of cause.silent) {
          expect(["no-history", "unavailable"]).toContain(sketches.find((sketch) => sketch.name === name)?.says);
        }
      }),
    );
  });
});
