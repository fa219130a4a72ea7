import { describe, expect, it } from "vitest";
import { bulkEffectText, sizeOf } from "../../backoffice/src/features/bulk-effect.ts";

const nobody = { everyone: false, users: 0, locations: [], shares: [], rules: [] };
const everyone = { ...nobody, everyone: true };
const some = { ...nobody, users: 12, shares: [{ source: "rollout", percentage: 25 }] };
const uncounted = { ...nobody, users: null };

describe("the confirmation of a bulk change", () => {
  it.each([
    [
      "kill",
      [everyone, some, nobody],
      "Off for everyone. Every caller loses 1 feature and some callers lose 1 feature now.",
    ],
    ["kill", [nobody], "Off for everyone. Nobody loses a feature now."],
    ["on", [everyone, everyone], "Every caller gains 2 features now."],
    ["off", [everyone, nobody], "Every caller without a grant of their own loses 1 feature now."],
    ["off", [some, some], "Some callers lose 2 features now."],
    ["on", [nobody, uncounted, undefined], "The callers of 2 features could not be counted."],
  ] as const)("of %s names who gains or loses how many features (%#)", (change, audiences, text) => {
    expect(bulkEffectText(change, audiences)).toBe(text);
  });

  it("compares audiences: everyone, then shares, then users and locations", () => {
    const audiences = [nobody, { ...nobody, rules: ["flags"] }, { ...nobody, users: 12 }, some, everyone];
    expect(audiences.toSorted((one, other) => sizeOf(one) - sizeOf(other))).toEqual(audiences);
  });
});
