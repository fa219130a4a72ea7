import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/domain/evaluation/feature.ts";
import { type Flag, flagOf, flagsOf } from "../../../src/domain/evaluation/flag.ts";
import type { SourceFeatures } from "../../../src/domain/evaluation/merge.ts";
import type { Role } from "../../../src/domain/evaluation/source.ts";
import type { Reason, Resolution } from "../../../src/domain/evaluation/source-result.ts";

const result = (
  name: string,
  resolutions: Readonly<Record<string, Resolution>>,
  { role = "grant", gatedBy = [] }: { role?: Role; gatedBy?: readonly string[] } = {},
): SourceFeatures => ({
  source: { name, role, gatedBy, default: "deny" },
  features: new Map(Object.entries(resolutions)),
});

const on = (value: Json = true, variant?: string, reason: Reason = "STATIC"): Resolution => ({
  on: true,
  value,
  reason,
  ...(variant !== undefined && { variant }),
});
const off = (value: Json = false, variant?: string): Resolution => ({ ...on(value, variant), on: false });

describe("a flag", () => {
  it.each<[string, SourceFeatures[], Omit<Flag, "key">]>([
    [
      "has the value, variant and reason of the first grant that has it on",
      [result("a", { x: off() }), result("b", { x: on("blue", "v", "SPLIT") }), result("c", { x: on("red") })],
      { on: true, value: "blue", variant: "v", reason: "SPLIT", source: "b" },
    ],
    ["is false, with the reason DISABLED, if no source lists it", [], { on: false, value: false, reason: "DISABLED" }],
    [
      "is false if its grant is gated",
      [result("gate", {}, { role: "gate" }), result("a", { x: on() }, { gatedBy: ["gate"] })],
      { on: false, value: false, reason: "DISABLED", source: "a" },
    ],
    [
      "names the veto that switches it off",
      [result("killed", { x: on() }, { role: "veto" }), result("a", { x: on() })],
      { on: false, value: false, reason: "DISABLED", source: "killed" },
    ],
    [
      "keeps the variant to which its source evaluates it, if that is off",
      [result("a", { x: off(false, "off") })],
      { on: false, value: false, variant: "off", reason: "STATIC", source: "a" },
    ],
    [
      "is DISABLED if a veto has it, regardless of its variant",
      [result("killed", { x: on() }, { role: "veto" }), result("a", { x: off(false, "off") })],
      { on: false, value: false, reason: "DISABLED", source: "killed" },
    ],
    [
      "has no value if it is off and a source gives it other values than booleans",
      [result("killed", { x: on() }, { role: "veto" }), result("a", { x: on({ rows: 1 }, "small") })],
      { on: false, reason: "DISABLED", source: "killed" },
    ],
    [
      "has no value if its source has none",
      [result("a", { x: { on: false, value: null, reason: "DISABLED" } })],
      { on: false, reason: "DISABLED", source: "a" },
    ],
  ])("%s", (_, results, expected) => {
    expect(flagOf(results, "x")).toEqual({ key: "x", ...expected });
  });

  it("exists for each known feature and each that a source lists, once and in order", () => {
    const results = [result("a", { b: on() }), result("gate", { c: off() }, { role: "gate" })];
    expect(flagsOf(results, ["a", "b"]).map(({ key }) => key)).toEqual(["a", "b", "c"]);
  });
});
