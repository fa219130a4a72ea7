import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder, isServedKey, isWritableKey } from "../../../src/domain/evaluation/feature.ts";

describe("feature keys", () => {
  it.each(["a", "9", "new_menu", "checkout.one-click", "team/x:y", "a".repeat(200)])("%j is writable", (key) => {
    expect(isWritableKey(key)).toBe(true);
    expect(isServedKey(key)).toBe(true);
  });

  it.each(["", "-a", ".a", "a b", "é", "<script>", "a\n", "*", "a".repeat(201)])("%j is not writable", (key) => {
    expect(isWritableKey(key)).toBe(false);
  });

  it.each(["", "a\u0000", "\u0085", "a\r\nX-Y: z", "a\ud800", "a".repeat(1_025)])("%j is not served", (key) => {
    expect(isServedKey(key)).toBe(false);
  });

  it("are ordered by code point, as their UTF-8 bytes are", () => {
    const key = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.array(key), (keys) => {
        const bytes = keys.map((text) => Buffer.from(text)).sort(Buffer.compare);
        expect(inOrder(keys)).toEqual(bytes.map(String));
      }),
    );
    expect(inOrder(["\u{1f600}", "\uffee", "b", "a", "ab"])).toEqual(["a", "ab", "b", "\uffee", "\u{1f600}"]);
  });
});
