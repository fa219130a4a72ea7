import { describe, expect, it } from "vitest";
import { type Secrets, secretBytes } from "../../src/domain/admin/secrets.ts";

/** The contract of Secrets. `open` returns an empty store. */
export function secretsContract(open: () => Promise<Secrets>): void {
  describe("Secrets", () => {
    it("creates a secret once, also for concurrent reads", async () => {
      const secrets = await open();
      const all = await Promise.all([secrets.read("a"), secrets.read("a"), secrets.read("a")]);
      const texts = [...all, await secrets.read("a")].map((secret) => Buffer.from(secret).toString("hex"));
      expect(texts[0]).toHaveLength(2 * secretBytes);
      expect(new Set(texts).size).toBe(1);
    });

    it("creates a given secret, and replaces it", async () => {
      const secrets = await open();
      const [first, second] = [Buffer.alloc(secretBytes, 1), Buffer.alloc(secretBytes, 2)];
      expect(Buffer.from(await secrets.read("a", first))).toEqual(first);
      expect(Buffer.from(await secrets.read("a", second))).toEqual(first);
      await secrets.replace("a", second);
      expect(Buffer.from(await secrets.read("a"))).toEqual(second);
    });

    it("has another secret for another name", async () => {
      const secrets = await open();
      expect(Buffer.from(await secrets.read("a"))).not.toEqual(Buffer.from(await secrets.read("b")));
    });
  });
}
