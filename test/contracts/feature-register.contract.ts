import { describe, expect, it } from "vitest";
import { dayOf, type FeatureRegister, registeredForDays } from "../../src/domain/features/feature-register.ts";

/** A register, and a way to set the day on which a key was last registered. */
export type RegisterUnderTest = {
  readonly register: FeatureRegister;
  readonly setDay: (key: string, day: number) => Promise<void>;
};

/** The contract of FeatureRegister. `open` returns an empty one. */
export function featureRegisterContract(open: () => Promise<RegisterUnderTest>): void {
  describe("FeatureRegister", () => {
    const keysIn = async ({ register }: RegisterUnderTest) => [...(await register.read()).value].sort();
    const today = () => dayOf(Date.now());

    it("is empty at first", async () => {
      expect(await keysIn(await open())).toEqual([]);
    });

    it("returns each added key once", async () => {
      const opened = await open();
      await opened.register.add(["b", "a"]);
      await opened.register.add(["a", "ü/😀"]);
      expect(await keysIn(opened)).toEqual(["a", "b", "ü/😀"]);
    });

    it("stores thousands of keys", async () => {
      const opened = await open();
      const keys = Array.from({ length: 2_500 }, (_, index) => `feature_${index}`).sort();
      await opened.register.add(keys);
      expect(await keysIn(opened)).toEqual(keys);
    });

    it("removes a key 400 days after its last registration", async () => {
      const opened = await open();
      await opened.register.add(["old", "older", "again"]);
      await opened.setDay("old", today() - registeredForDays);
      await opened.setDay("older", today() - registeredForDays - 1);
      await opened.setDay("again", today() - registeredForDays);
      expect(await keysIn(opened)).toEqual(["again", "old"]);
      await opened.register.add(["again"]);
      await opened.setDay("old", today() - registeredForDays - 1);
      expect(await keysIn(opened)).toEqual(["again"]);
    });

    it("returns the instant for which its keys are current", async () => {
      const { register } = await open();
      const before = Date.now();
      const verifiedAt = (await register.read()).verifiedAt(Date.now());
      expect(verifiedAt).toBeGreaterThanOrEqual(before - 1);
      expect(verifiedAt).toBeLessThanOrEqual(Date.now());
    });
  });
}
