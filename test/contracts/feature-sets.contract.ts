import { describe, expect, it } from "vitest";
import { StoreDataInvalid } from "../../src/domain/errors.ts";
import type { FeatureSets } from "../../src/domain/evaluation/feature-sets.ts";

/** An empty store to read from. */
export type FeatureSetsUnderTest = {
  readonly sets: FeatureSets;
  /** Adds members to a set externally, as other tools do. */
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
  /** Whether the sets come from the event log, which records no invalid members. */
  readonly isHistory?: true;
};

/** The contract of FeatureSets. */
export function featureSetsContract(open: () => FeatureSetsUnderTest): void {
  const opened = () => {
    const { sets, put, isHistory } = open();
    const read = async (key: string, limit: number) => {
      const { features, invalidMembers } = (await sets.read(key, limit)).value;
      return { features: features.toSorted(), invalidMembers };
    };
    return { sets, put, read, isHistory };
  };

  describe("FeatureSets", () => {
    it("reads an absent set as empty", async () => {
      const { read } = opened();
      expect(await read("contract:none", 10)).toEqual({ features: [], invalidMembers: 0 });
    });

    it("reads all members of the set only", async () => {
      const { read, put } = opened();
      await put("contract:a", ["one", "two"]);
      await put("contract:ab", ["three"]);
      expect((await read("contract:a", 10)).features).toEqual(["one", "two"]);
    });

    it("reads a set with exactly as many members as the limit", async () => {
      const { read, put } = opened();
      const members = Array.from({ length: 100 }, (_, index) => `feature_${index}`);
      await put("contract:full", members);
      expect((await read("contract:full", 100)).features).toEqual(members.sort());
    });

    it("rejects a set with more members than the limit", async () => {
      const { read, put } = opened();
      await put("contract:over", ["one", "two", "three"]);
      await expect(read("contract:over", 2)).rejects.toBeInstanceOf(StoreDataInvalid);
    });

    it("serves keys that are not writable, in any script", async () => {
      const { read, put } = opened();
      const members = ["a b", "Füße", "機能", "🚩", "__proto__", "constructor", "{x}", "*", "-"];
      await put("contract:odd", members);
      expect(await read("contract:odd", 100)).toEqual({ features: members.sort(), invalidMembers: 0 });
    });

    it("omits and counts members that are empty or contain control characters", async () => {
      const { read, put, isHistory } = opened();
      await put("contract:bad", ["good", "", "a\nb", "\u0007"]);
      expect(await read("contract:bad", 100)).toEqual({ features: ["good"], invalidMembers: isHistory ? 0 : 3 });
    });

    it("omits and counts over-long members", async () => {
      const { read, put, isHistory } = opened();
      await put("contract:long", ["good", "x".repeat(1_025), "y".repeat(1_000_000)]);
      expect(await read("contract:long", 100)).toEqual({ features: ["good"], invalidMembers: isHistory ? 0 : 2 });
    });

    it("states the instant of a read", async () => {
      const { sets } = opened();
      const before = Date.now();
      const cached = await sets.read("contract:instant", 10);
      // Ages are measured by the monotonic clock, from which the wall clock drifts.
      expect(cached.verifiedAt(Date.now())).toBeGreaterThan(before - 1_000);
      expect(cached.verifiedAt(Date.now())).toBeLessThan(Date.now() + 1_000);
    });

    it("returns its own result to each of many concurrent reads", async () => {
      const { sets, put } = opened();
      for (let index = 0; index < 20; index++) await put(`contract:many:${index}`, [`feature_${index}`]);
      const all = await Promise.all(Array.from({ length: 20 }, (_, index) => sets.read(`contract:many:${index}`, 10)));
      expect(all.map(({ value }) => value.features)).toEqual(
        Array.from({ length: 20 }, (_, index) => [`feature_${index}`]),
      );
    });
  });
}
