import { describe, expect, it } from "vitest";
import { StoreDataInvalid } from "../../src/domain/errors.ts";
import type { FeatureSets } from "../../src/domain/feature-sets.ts";

/** A store to read from, empty at first. */
export type FeatureSetsUnderTest = {
  readonly sets: FeatureSets;
  /** Puts members into a set behind Tidegate's back, as other tools do. */
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
};

/** What every FeatureSets does. */
export function featureSetsContract(open: () => FeatureSetsUnderTest): void {
  describe("FeatureSets", () => {
    it("reads a set that is not there as empty", async () => {
      const { sets } = open();
      expect(await sets.read("contract:none", 10)).toEqual({ features: new Set(), skipped: 0 });
    });

    it("reads all members of a set, and of no other", async () => {
      const { sets, put } = open();
      await put("contract:a", ["one", "two"]);
      await put("contract:ab", ["three"]);
      expect((await sets.read("contract:a", 10)).features).toEqual(new Set(["one", "two"]));
    });

    it("reads a set of just as many members as the limit", async () => {
      const { sets, put } = open();
      const members = Array.from({ length: 100 }, (_, index) => `feature_${index}`);
      await put("contract:full", members);
      expect((await sets.read("contract:full", 100)).features).toEqual(new Set(members));
    });

    it("refuses a set of more members than the limit", async () => {
      const { sets, put } = open();
      await put("contract:over", ["one", "two", "three"]);
      await expect(sets.read("contract:over", 2)).rejects.toBeInstanceOf(StoreDataInvalid);
    });

    it("serves keys that could not be written here, of any script", async () => {
      const { sets, put } = open();
      const members = ["a b", "Füße", "機能", "🚩", "__proto__", "constructor", "{x}", "*", "-"];
      await put("contract:odd", members);
      expect(await sets.read("contract:odd", 100)).toEqual({ features: new Set(members), skipped: 0 });
    });

    it("leaves out and counts what is no feature key: empty, over-long, or with control characters", async () => {
      const { sets, put } = open();
      await put("contract:bad", ["good", "", "a\nb", "\u0007", "x".repeat(1_025), "y".repeat(1_000_000)]);
      expect(await sets.read("contract:bad", 100)).toEqual({ features: new Set(["good"]), skipped: 5 });
    });

    it("answers many reads that start together, each its own", async () => {
      const { sets, put } = open();
      for (let index = 0; index < 20; index++) await put(`contract:many:${index}`, [`feature_${index}`]);
      const read = await Promise.all(Array.from({ length: 20 }, (_, index) => sets.read(`contract:many:${index}`, 10)));
      expect(read.map(({ features }) => [...features])).toEqual(
        Array.from({ length: 20 }, (_, index) => [`feature_${index}`]),
      );
    });
  });
}
