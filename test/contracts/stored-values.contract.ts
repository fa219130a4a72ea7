import { describe, expect, it } from "vitest";
import { maxMembers, type StoredValues } from "../../src/domain/admin/stored-values.ts";

/** An empty store to read from. */
export type StoredValuesUnderTest = {
  readonly values: StoredValues;
  /** Adds members to a set externally, as other tools do. */
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
};

/** The contract of StoredValues. */
export function storedValuesContract(open: () => StoredValuesUnderTest): void {
  describe("StoredValues", () => {
    it("reads an absent key as undefined", async () => {
      expect((await open().values.read("contract:none")).value).toBeUndefined();
    });

    it("reads all members of a set, sorted by code point", async () => {
      const { values, put } = open();
      await put("contract:a", ["b", "a", "🚩", "\uffee", "a b", ""]);
      await put("contract:ab", ["c"]);
      expect((await values.read("contract:a")).value).toEqual({
        type: "set",
        value: ["", "a", "a b", "b", "\uffee", "🚩"],
      });
    });

    it("reads a set up to the member limit, and names one beyond it", async () => {
      const { values, put } = open();
      const members = Array.from({ length: maxMembers }, (_, index) => `${index}`);
      await put("contract:large", members);
      expect((await values.read("contract:large")).value).toEqual({ type: "set", value: members.sort() });
      await put("contract:large", ["one more"]);
      const reason = `a set of more than ${maxMembers} members`;
      expect((await values.read("contract:large")).value).toEqual({ type: "unsupported", reason });
    });

    it("returns the instant of a read", async () => {
      const before = Date.now();
      const cached = await open().values.read("contract:instant");
      // Ages are measured by the monotonic clock, from which the wall clock drifts.
      expect(cached.verifiedAt(Date.now())).toBeGreaterThan(before - 1_000);
      expect(cached.verifiedAt(Date.now())).toBeLessThan(Date.now() + 1_000);
    });
  });
}
