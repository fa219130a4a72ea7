import { describe, expect, it } from "vitest";
import type { IdempotencyKeys } from "../../src/domain/admin/idempotency-keys.ts";

/** The contract of IdempotencyKeys. */
export function idempotencyKeysContract(open: () => IdempotencyKeys): void {
  describe("IdempotencyKeys", () => {
    it("stores the first request of a key", async () => {
      const keys = open();
      expect(await keys.claim("first", "a")).toBe(true);
      expect(await keys.claim("first", "b")).toBe(false);
      expect(await keys.claim("first", "a")).toBe(true);
      expect(await keys.claim("second", "b")).toBe(true);
    });

    it("returns the request of a key, and nothing for another key", async () => {
      const keys = open();
      await keys.claim("returned", "a");
      await keys.claim("returned", "b");
      expect([await keys.purposeOf("returned"), await keys.purposeOf("unused")]).toEqual(["a", undefined]);
    });

    it("accepts one of several concurrent requests with the same key", async () => {
      const keys = open();
      const purposes = Array.from({ length: 20 }, (_, index) => `purpose-${index % 4}`);
      const outcomes = await Promise.all(purposes.map((purpose) => keys.claim("raced", purpose)));
      const winners = new Set(purposes.filter((_, index) => outcomes[index]));
      expect(winners.size).toBe(1);
      expect(outcomes.filter(Boolean)).toHaveLength(5);
    });
  });
}
