import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyTemplate } from "../../../src/domain/evaluation/key-template.ts";

function template(text: string): KeyTemplate {
  const parsed = KeyTemplate.parse(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

const user = template("features:user:{userId}");
const keyOf = (userId: string) => user.keysFor({ userId, at: 0 })[0];

describe("a key template", () => {
  it("builds the keys of the seed", () => {
    expect(keyOf("1")).toBe("features:user:1");
    expect(template("location:{location}").keysFor({ locations: ["location1"], at: 0 })).toEqual([
      "location:location1",
    ]);
    expect(template("global_features").keysFor({ at: 0 })).toEqual(["global_features"]);
    expect(template("tidegate:killed").keysFor({ at: 0 })).toEqual(["tidegate:killed"]);
  });

  it("builds a key for each location in order", () => {
    const context = { userId: "1", locations: ["es/madrid", "es", "a:b"], at: 0 };
    expect(template("location:{location}").keysFor(context)).toEqual([
      "location:es/madrid",
      "location:es",
      "location:a%3Ab",
    ]);
    expect(template("at:{location}:{userId}").keysFor(context)).toEqual(["at:es/madrid:1", "at:es:1", "at:a%3Ab:1"]);
    expect(user.keysFor(context)).toEqual(["features:user:1"]);
    expect(template("global_features").keysFor(context)).toEqual(["global_features"]);
  });

  it("has no key for a context that lacks its field", () => {
    expect(user.keysFor({ at: 0 })).toEqual([]);
    expect(user.keysFor({ targetingKey: "1", locations: ["madrid"], at: 0 })).toEqual([]);
    expect(template("at:{location}:{userId}").keysFor({ locations: ["madrid"], at: 0 })).toEqual([]);
    expect(template("at:{location}:{userId}").keysFor({ userId: "1", at: 0 })).toEqual([]);
  });

  it.each([
    ["user@example.org", "features:user:user@example.org"],
    ["São Paulo", "features:user:São%20Paulo"],
    ["東京/渋谷", "features:user:東京/渋谷"],
    ["1:admin", "features:user:1%3Aadmin"],
    ["100%", "features:user:100%25"],
    ["{tag}*?", "features:user:%7Btag%7D%2A%3F"],
    ["a\r\nb", "features:user:a%0D%0Ab"],
  ])("encodes %j", (userId, key) => {
    expect(keyOf(userId)).toBe(key);
  });

  it("builds different keys of its own shape for different values", () => {
    const value = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(value, value, (a, b) => {
        const key = keyOf(a) ?? "";
        expect(key === keyOf(b)).toBe(a === b);
        expect(key.split(":")).toHaveLength(3);
        expect(user.matches(key)).toBe(true);
        expect(user.valuesIn(key)).toEqual({ userId: a });
        expect(template("location:{location}").matches(key)).toBe(false);
      }),
    );
  });

  it("has no values for a key of another shape", () => {
    for (const key of ["location:a", "features:user:", "features:user:a b"]) expect(user.valuesIn(key)).toBeUndefined();
    expect(template("global_features").valuesIn("global_features")).toEqual({});
  });

  it.each([
    ["", /empty key/],
    ["{userId}", /starts with a field/],
    ["user{userId}", /mixes a literal and a field/],
    ["a:{userId}{location}", /unknown field|mixes/],
    ["a:{country}", /unknown field "country" \(expected one of userId, location\)/],
    ["features:user:{targetingKey}", /unknown field "targetingKey"/],
    ["a:{}", /unknown field/],
    ["a:{userId", /mixes a literal and a field/],
  ])("rejects %j", (text, fault) => {
    expect(KeyTemplate.parse(text)).toMatch(fault);
  });

  it.each([
    ["a:{userId}", "a:{location}", true],
    ["a:{location}", "a:b", true],
    ["features:{location}:{userId}", "features:user:{userId}", true],
    ["location:{location}", "features:{userId}", false],
    ["a:{userId}", "a:{userId}:b", false],
    ["global_features", "active_features", false],
  ])("%j can build a key of %j: %j", (one, other, expected) => {
    expect(template(one).overlaps(template(other))).toBe(expected);
    expect(template(other).overlaps(template(one))).toBe(expected);
  });

  it.each([
    ["token:{location}", "token:", true],
    ["token:{location}:{userId}", "token:", true],
    ["token:a", "token:", true],
    ["token", "token:", false],
    ["tokens:{location}", "token:", false],
    ["a:{userId}:b", "a:b:", true],
    ["a:{userId}", "a:b:", false],
    ["a:c:{userId}", "a:b:", false],
  ])("%j can build a key that extends one of %j: %j", (one, beginning, expected) => {
    expect(template(one).reaches(beginning)).toBe(expected);
  });
});
