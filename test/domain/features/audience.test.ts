import { describe, expect, it } from "vitest";
import type { DeclaredSource } from "../../../src/domain/evaluation/source.ts";
import { impactOf } from "../../../src/domain/features/audience.ts";
import type { Placement } from "../../../src/domain/features/feature-state.ts";
import { absent, everyone, type Reach, unknown } from "../../../src/domain/features/reach.ts";

const sources: readonly DeclaredSource[] = [
  { name: "global", role: "grant", gatedBy: [], default: "deny" },
  { name: "user", role: "grant", gatedBy: ["active"], default: "deny" },
  { name: "location", role: "grant", gatedBy: [], default: "deny" },
  { name: "rollout", role: "grant", gatedBy: [], default: "deny" },
  { name: "flags", role: "grant", gatedBy: [], default: "deny" },
  { name: "active", role: "gate", gatedBy: [], default: "deny" },
  { name: "killed", role: "veto", gatedBy: [], default: "deny" },
];
type Reaches = Readonly<Record<string, Reach>>;
const placed = (reaches: Reaches): readonly Placement[] =>
  sources.map((source) => ({ source, reach: reaches[source.name] ?? absent }));
const nobody = { everyone: false, users: 0, locations: [], shares: [], rules: [] };
const users = (count: number | null): Reach => ({ kind: "some", users: count });
const places = (...locations: readonly string[]): Reach => ({ kind: "some", locations });
const share = (percent: number): Reach => ({ kind: "some", share: percent });

describe("the impact of a change", () => {
  const some: Reaches = { user: users(12), active: everyone, location: places("es", "fr"), rollout: share(25) };
  const all = { ...nobody, users: 12, locations: ["es", "fr"], shares: [{ source: "rollout", percentage: 25 }] };

  it.each<[string, Reaches, Reaches, object, object, boolean]>([
    ["a kill", some, { ...some, killed: everyone }, nobody, all, true],
    ["the end of a kill", { ...some, killed: everyone }, some, all, nobody, true],
    [
      "a kill of what is on for everyone",
      { global: everyone },
      { global: everyone, killed: everyone },
      nobody,
      { ...nobody, everyone: true },
      true,
    ],
    ["a kill of what is off", {}, { killed: everyone }, nobody, nobody, true],
    ["on for everyone", some, { ...some, global: everyone }, { ...nobody, everyone: true }, nobody, true],
    [
      "off for everyone, with users that keep it",
      { ...some, global: everyone },
      some,
      nobody,
      { ...nobody, everyone: true },
      true,
    ],
    ["a closed gate", some, { ...some, active: absent }, nobody, { ...nobody, users: 12 }, true],
    [
      "a larger share",
      { rollout: share(5) },
      { rollout: share(12.5) },
      { ...nobody, shares: [{ source: "rollout", percentage: 7.5 }] },
      nobody,
      true,
    ],
    [
      "a smaller share",
      { rollout: share(30) },
      { rollout: share(10) },
      nobody,
      { ...nobody, shares: [{ source: "rollout", percentage: 20 }] },
      true,
    ],
    ["a new user", some, { ...some, user: users(13) }, { ...nobody, users: 1 }, nobody, true],
    ["a removed location", some, { ...some, location: places("fr") }, nobody, { ...nobody, locations: ["es"] }, true],
    [
      "users that are not counted",
      { user: users(null), active: everyone },
      { user: users(null) },
      nobody,
      { ...nobody, users: null },
      false,
    ],
    ["rules", { flags: { kind: "some" } }, {}, nobody, { ...nobody, rules: ["flags"] }, false],
    [
      "a gate that is open for some",
      { user: users(3), active: share(50) },
      { user: users(3) },
      nobody,
      { ...nobody, users: 3 },
      false,
    ],
    [
      "an unavailable source",
      { ...some, flags: unknown },
      { ...some, flags: unknown, killed: everyone },
      nobody,
      all,
      false,
    ],
  ])("is right for %s", (_, before, after, gains, loses, complete) => {
    expect(impactOf(placed(before), placed(after))).toMatchObject({ gains, loses, complete });
  });

  it("includes the state before and after", () => {
    expect(impactOf(placed(some), placed({ ...some, killed: everyone }))).toMatchObject({
      stateBefore: "on-for-some",
      stateAfter: "killed",
    });
  });
});
