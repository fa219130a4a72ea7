import { describe, expect, it } from "vitest";
import type { FeatureSets } from "../../src/domain/feature-sets.ts";
import type { FeatureStore } from "../../src/domain/feature-store.ts";

/** A store to change, empty at first, and what reads it. */
export type FeatureStoreUnderTest = { readonly changes: FeatureStore; readonly sets: FeatureSets };

/** What every FeatureStore does. */
export function featureStoreContract(open: () => FeatureStoreUnderTest): void {
  const read = async (sets: FeatureSets, key: string) => (await sets.read(key, 100)).value.features.toSorted();

  describe("FeatureStore", () => {
    it("adds features and takes others out in one change", async () => {
      const { changes, sets } = open();
      await changes.apply({ key: "store:a", add: ["one", "two"], remove: [] });
      await changes.apply({ key: "store:a", add: ["three"], remove: ["one"] });
      expect(await read(sets, "store:a")).toEqual(["three", "two"]);
    });

    it("tells what really changed", async () => {
      const { changes } = open();
      expect(await changes.apply({ key: "store:b", add: ["one", "two"], remove: ["nine"] })).toEqual({
        added: ["one", "two"],
        removed: [],
      });
      expect(await changes.apply({ key: "store:b", add: ["two", "three"], remove: ["one", "nine"] })).toEqual({
        added: ["three"],
        removed: ["one"],
      });
    });

    it("does nothing for an empty change", async () => {
      const { changes, sets } = open();
      expect(await changes.apply({ key: "store:c", add: [], remove: [] })).toEqual({ added: [], removed: [] });
      expect(await read(sets, "store:c")).toEqual([]);
    });

    it("loses none of many changes that are made at once", async () => {
      const { changes, sets } = open();
      const features = Array.from({ length: 50 }, (_, index) => `feature_${index}`);
      await Promise.all(features.map((feature) => changes.apply({ key: "store:d", add: [feature], remove: [] })));
      expect(await read(sets, "store:d")).toEqual([...features].sort());
    });
  });
}
