import { describe, expect, it } from "vitest";
import type { SetIndex } from "../../src/domain/admin/set-index.ts";

/** An index of an empty store. */
export type SetIndexUnderTest = {
  readonly index: SetIndex;
  /** Adds members to a set. */
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
};

/** The contract of SetIndex. */
export function setIndexContract(open: () => SetIndexUnderTest | Promise<SetIndexUnderTest>): void {
  describe("SetIndex", () => {
    it("lists the keys with a prefix up to a limit, and returns whether the list is complete", async () => {
      const { index, put } = await open();
      for (const key of ["index:a", "index:b", "indexed", "index*:c", "other:d"]) await put(key, ["one"]);
      const all = await index.keys("index:", 2);
      expect([all.keys.toSorted(), all.complete]).toEqual([["index:a", "index:b"], true]);
      const some = await index.keys("index:", 1);
      expect([some.keys.length, some.complete]).toEqual([1, false]);
      expect(await index.keys("index*", 10)).toEqual({ keys: ["index*:c"], complete: true });
      expect(await index.keys("nowhere:", 10)).toEqual({ keys: [], complete: true });
    });

    it("counts the sets that contain each feature, or returns undefined", async () => {
      const { index, put } = await open();
      await put("counted:a", ["one", "two"]);
      await put("counted:b", ["one"]);
      await put("other:c", ["one", "two"]);
      const counts = await index.holders("counted:", ["one", "two", "three"]);
      expect(counts).toEqual(counts[0] === undefined ? [undefined, undefined, undefined] : [2, 1, 0]);
    });

    it("lists the sets that have a feature, in pages", async () => {
      const { index, put } = await open();
      for (const key of ["held:a", "held:b", "held:c", "hold:d"]) await put(key, ["one", "two"]);
      await put("held:e", ["two"]);
      const found = new Set<string>();
      for (let after: string | undefined, pages = 0; pages < 10; pages++) {
        const { keys, next } = await index.holding("held:", "one", 2, after);
        for (const key of keys) found.add(key);
        if (next === undefined) break;
        after = next;
      }
      expect([...found].toSorted()).toEqual(
        (await index.contents("held:")) === undefined ? [] : ["held:a", "held:b", "held:c"],
      );
    });

    it("reads all sets with a prefix, without members that are not served keys, or returns undefined", async () => {
      const { index, put } = await open();
      await put("read:a", ["one", "two", "\u0001"]);
      await put("read:b", ["one"]);
      await put("readme:c", ["three"]);
      const contents = await index.contents("read:");
      if (!contents) return;
      const sorted = [...contents.sets].map(([key, features]) => [key, features.toSorted()]).toSorted();
      expect(sorted).toEqual([
        ["read:a", ["one", "two"]],
        ["read:b", ["one"]],
      ]);
      expect((await index.contents("none:"))?.sets.size).toBe(0);
    });
  });
}
