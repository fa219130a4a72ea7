import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, includes, percentOf, shareOf } from "../../../src/domain/targeting/share.ts";

const texts = fc.string({ unit: "binary", maxLength: 50 });
const shares = fc.integer({ min: 0, max: 10_000 });

describe("a share", () => {
  it("excludes no bucket when raised", () => {
    fc.assert(
      fc.property(texts, texts, shares, shares, (group, id, one, other) => {
        const bucket = bucketOf(group, id);
        if (includes(Math.min(one, other), bucket)) expect(includes(Math.max(one, other), bucket)).toBe(true);
      }),
    );
  });

  it("includes no bucket at 0 % and every bucket at 100 %", () => {
    fc.assert(
      fc.property(texts, texts, (group, id) => {
        expect(includes(0, bucketOf(group, id))).toBe(false);
        expect(includes(10_000, bucketOf(group, id))).toBe(true);
      }),
    );
  });

  it("is exact in each step of 0.01 %", () => {
    for (let share = 0; share <= 10_000; share++) {
      const text = `${Math.floor(share / 100)}.${`${share % 100}`.padStart(2, "0")}`;
      expect(shareOf(Number(text))).toBe(share);
      expect(percentOf(share)).toBe(Number(text));
    }
  });

  it.each([-0.01, 100.01, 0.005, 33.333, Number.NaN, Number.POSITIVE_INFINITY])("rejects %s percent", (percentage) => {
    expect(shareOf(percentage)).toBeUndefined();
  });
});

describe("a bucket", () => {
  it("never changes", () => {
    expect([bucketOf("new_menu", "7"), bucketOf("new_menu", "8"), bucketOf("menú", "josé"), bucketOf("", "")]).toEqual([
      3457, 9352, 9794, 3074,
    ]);
  });
});
