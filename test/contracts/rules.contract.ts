import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { DocumentStore } from "../../src/domain/admin/document-store.ts";
import type { Json } from "../../src/domain/evaluation/feature.ts";
import type { Rules, RulesByFeature } from "../../src/domain/evaluation/rules.ts";
import { until } from "../support/until.ts";

/** Rules, and the documents behind them; `collections` are those in use. */
export type RulesUnderTest = {
  readonly rules: Rules;
  readonly documents: DocumentStore;
  /** Stores a text that is no document; absent if the store has no way to do so. */
  readonly spoil?: (collection: string, name: string) => Promise<void>;
};

/** The collections of the contract. */
export const contractCollections: readonly string[] = ["one", "other"];

/** The contract of Rules. `open` returns empty ones each time. A change is visible soon, but not always at once. */
export function rulesContract(open: () => Promise<RulesUnderTest>): void {
  const opened = async () => {
    const { rules, documents, spoil } = await open();
    const read = async (collection = "one"): Promise<RulesByFeature> => (await rules.read(collection)).value;
    return {
      rules,
      spoil,
      read,
      put: (name: string, value: Json, collection = "one") =>
        documents.put({ id: uuidv7(), by: "alice", collection, name, value }),
      load: (values: ReadonlyMap<string, Json>) =>
        documents.load({
          load: uuidv7(),
          by: "alice",
          from: 0,
          to: values.size,
          items: [...values].map(([name, value]) => ({ collection: "one", name, value })),
        }),
      shows: (expected: Readonly<Record<string, Json>>, collection = "one") =>
        until(
          async () => {
            const all = Object.fromEntries(await read(collection));
            return JSON.stringify(Object.entries(all).sort()) === JSON.stringify(Object.entries(expected).sort());
          },
          `${collection} holds ${JSON.stringify(expected)}`,
        ),
    };
  };

  describe("Rules", () => {
    it("are none in an absent collection", async () => {
      const { read } = await opened();
      expect(await read()).toEqual(new Map());
    });

    it("are the last rule of each feature, without removed ones", async () => {
      const { put, shows } = await opened();
      await put("a", { share: 1 });
      await put("b", ["x", { y: null }]);
      await put("c", 0);
      await shows({ a: { share: 1 }, b: ["x", { y: null }], c: 0 });
      await put("a", { share: 2 });
      await put("b", null);
      await shows({ a: { share: 2 }, c: 0 });
    });

    it("are those of their collection", async () => {
      const { put, shows } = await opened();
      await put("a", 1);
      await put("a", 2, "other");
      await put("b", 3, "one-more");
      await shows({ a: 1 });
      await shows({ a: 2 }, "other");
    });

    it("are the same map until a rule changes", async () => {
      const { put, shows, read } = await opened();
      await put("a", { share: 1 });
      await shows({ a: { share: 1 } });
      const before = await read();
      await put("a", 1, "other");
      await shows({ a: 1 }, "other");
      expect(await read()).toBe(before);
      await put("a", { share: 2 });
      await shows({ a: { share: 2 } });
      expect(before).toEqual(new Map([["a", { share: 1 }]]));
    });

    it("keep the value of an unchanged rule", async () => {
      const { put, shows, read } = await opened();
      await put("a", { share: 1 });
      await put("b", { share: 1 });
      await shows({ a: { share: 1 }, b: { share: 1 } });
      const before = await read();
      await put("b", { share: 2 });
      await shows({ a: { share: 1 }, b: { share: 2 } });
      expect((await read()).get("a")).toBe(before.get("a"));
    });

    it("are null if invalid, without an effect on others", async () => {
      const { put, shows, spoil } = await opened();
      await put("a", 1);
      await spoil?.("one", "b");
      await shows(spoil ? { a: 1, b: null } : { a: 1 });
    });

    it("return the instant for which they are current", async () => {
      const { rules } = await opened();
      const before = Date.now();
      const cached = await rules.read("one");
      // Ages are measured by the monotonic clock, from which the wall clock drifts.
      expect(cached.verifiedAt(Date.now())).toBeGreaterThan(before - 1_000);
      expect(cached.verifiedAt(Date.now())).toBeLessThan(Date.now() + 1_000);
    });

    it("can be 10,000", async () => {
      const { load, read } = await opened();
      const values = Array.from({ length: 10_000 }, (_, index): [string, Json] => [`feature_${index}`, { index }]);
      for (let start = 0; start < values.length; start += 500) await load(new Map(values.slice(start, start + 500)));
      const all = await read();
      expect(all.size).toBe(values.length);
      expect(all.get("feature_9999")).toEqual({ index: 9_999 });
    });
  });
}
