import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { merge } from "../../../src/domain/evaluation/merge.ts";
import type { DeclaredSource } from "../../../src/domain/evaluation/source.ts";
import type { Resolution } from "../../../src/domain/evaluation/source-result.ts";
import { type FeatureState, featureState, type Placement } from "../../../src/domain/features/feature-state.ts";
import { absent, everyone, nobody, type Reach, reachOf, unknown } from "../../../src/domain/features/reach.ts";

const users: Reach = { kind: "some", users: 3 };
const uncounted: Reach = { kind: "some", users: null };
const share: Reach = { kind: "some", share: 25 };
const later: Reach = { kind: "later" };

const source = (name: string, role: DeclaredSource["role"], gatedBy: readonly string[] = []): DeclaredSource => ({
  name,
  role,
  gatedBy,
  default: "deny",
});
const grant = (reach: Reach): Placement => ({ source: source("global", "grant"), reach });
const gated = (reach: Reach): Placement => ({ source: source("user", "grant", ["active"]), reach });
const gate = (reach: Reach, otherwise: "allow" | "deny" = "deny"): Placement => ({
  source: { ...source("active", "gate"), default: otherwise },
  reach,
});
const veto = (reach: Reach): Placement => ({ source: source("killed", "veto"), reach });

describe("the state of a feature", () => {
  it.each<[FeatureState, string, readonly Placement[]]>([
    ["off", "no source lists it", [grant(absent), gated(absent), gate(absent), veto(absent)]],
    ["off", "a grant lists it and has it off", [grant(nobody)]],
    ["off", "only a gate lists it", [gated(absent), gate(everyone)]],
    ["on", "a grant has it for everyone", [grant(everyone), gated(absent), gate(absent), veto(absent)]],
    ["on", "a grant behind an open gate has it for everyone", [gated(everyone), gate(everyone)]],
    ["on", "the gate allows what it does not list", [gated(everyone), gate(absent, "allow")]],
    ["on", "another grant that could add users is unavailable", [grant(everyone), gated(unknown), gate(unknown)]],
    ["on-for-some", "users have it and the gate is open", [gated(users), gate(everyone)]],
    ["on-for-some", "a share has it", [grant(share)]],
    ["on-for-some", "a gate opens for a share", [gated(everyone), gate(share)]],
    ["on-for-some", "a veto has it for some", [grant(everyone), veto(share)]],
    ["on-for-some", "its users are not counted and the gate is open", [gated(uncounted), gate(everyone)]],
    ["off", "its users are not counted and no gate lists it", [gated(uncounted), gate(absent)]],
    ["off", "its users are not counted and there is no gate", [grant(uncounted)]],
    ["held", "users have it and the gate does not list it", [gated(users), gate(absent)]],
    ["held", "users have it and the gate has it off", [gated(users), gate(nobody, "allow")]],
    ["held", "users have it and the gate opens later", [gated(users), gate(later)]],
    ["held", "users have it and the gate does not exist", [gated(users)]],
    ["held", "another grant has it later", [gated(users), gate(absent), grant(later)]],
    ["scheduled", "a grant has it later", [grant(later)]],
    ["killed", "a veto has it", [grant(everyone), veto(everyone)]],
    ["killed", "a veto has it and nothing is available", [grant(unknown), veto(everyone)]],
    ["unknown", "a veto is unavailable", [grant(everyone), veto(unknown)]],
    ["off", "a veto is unavailable but no grant has it", [grant(absent), veto(unknown)]],
    ["unknown", "the only grant is unavailable", [grant(unknown)]],
    ["unknown", "a grant for everyone is unavailable and some have it", [grant(unknown), gated(users), gate(everyone)]],
    ["unknown", "a gate of its users is unavailable", [gated(users), gate(unknown)]],
    ["held", "a gate is closed, whatever its unavailable grant has", [gated(users), gate(absent)]],
    ["off", "a gate is closed and its grant is unavailable", [gated(unknown), gate(absent)]],
  ])("is %s if %s", (state, _, placements) => {
    expect(featureState(placements)).toBe(state);
  });

  it("is on or killed exactly if the merge rule has it on or a veto has it, for sources that are the same for all", () => {
    const roles = fc.constantFrom("grant", "gate", "veto" as const);
    const anySource = fc.record({
      role: roles,
      reach: fc.constantFrom<Reach>(everyone, nobody, absent),
      default: fc.constantFrom("allow", "deny" as const),
      gatedBy: fc.subarray(["s0", "s1", "s2", "s3"]),
    });
    fc.assert(
      fc.property(fc.array(anySource, { minLength: 1, maxLength: 6 }), (sources) => {
        const placements = sources.map(({ reach, gatedBy, role, ...rest }, index) => ({
          source: { ...rest, role, name: `s${index}`, gatedBy: role === "grant" ? gatedBy : [] },
          reach,
        }));
        const resolution = (on: boolean): Resolution => ({ on, value: on, reason: "STATIC" });
        const merged = merge(
          placements.map(({ source, reach }) => ({
            source,
            features: new Map(reach === absent ? [] : [["f", resolution(reach === everyone)]]),
          })),
        );
        const isKilled = placements.some(({ source, reach }) => source.role === "veto" && reach === everyone);
        const state = featureState(placements);
        expect(state === "killed").toBe(isKilled);
        expect(state === "on").toBe(merged.has("f"));
      }),
    );
  });
});

describe("the reach of a feature in a source", () => {
  const on: Resolution = { on: true, value: true, reason: "STATIC" };
  const off: Resolution = { on: false, value: false, reason: "DISABLED" };
  it.each<[string, Resolution, boolean, Reach]>([
    ["on by a fixed set", on, true, everyone],
    ["off in the configuration", off, true, nobody],
    ["on in an open window", { ...on, reason: "TARGETING_MATCH" }, true, everyone],
    ["off before a window", { ...off, reason: "DEFAULT", metadata: { nextWindowStartsAt: "2030-01-01" } }, true, later],
    ["off after the last window", { ...off, reason: "DEFAULT" }, true, nobody],
    ["a share", { ...off, reason: "DEFAULT", metadata: { share: 25, lacks: "targetingKey" } }, false, share],
    ["a share of nothing", { ...off, reason: "DEFAULT", metadata: { share: 0 } }, false, nobody],
    ["a share of all", { ...off, reason: "DEFAULT", metadata: { share: 100 } }, false, everyone],
    ["a disabled flag", off, false, nobody],
    ["a flag without targeting", on, false, everyone],
    ["a flag with targeting that is off for an empty context", { ...off, reason: "DEFAULT" }, false, { kind: "some" }],
    ["a flag that cannot be evaluated", { ...off, reason: "DEFAULT", metadata: { error: "broken" } }, false, nobody],
  ])("is right for %s", (_, resolution, isFixed, reach) => {
    expect(reachOf(resolution, isFixed)).toEqual(reach);
  });
});
