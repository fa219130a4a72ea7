import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { digestWith } from "../../../../src/adapters/http/client/digest.ts";

const latin1 = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength, size: "max" }).map((codes) => String.fromCharCode(...codes));

it("is the SHA-256 of a value, followed by an optional text", () => {
  fc.assert(
    fc.property(latin1(16_000), latin1(100), (value, text) => {
      const expected = hash("sha256", Buffer.from(value, "latin1"), "buffer").toString("latin1") + text;
      expect(digestWith(value, text)).toBe(expected);
    }),
    { numRuns: 200 },
  );
});
