import { describe, expect, it } from "vitest";
import { murmur3 } from "../../../src/domain/targeting/murmur3.ts";

describe("The murmur3 hash", () => {
  // From the reference implementation: x86, 32 bits, seed 0.
  it.each([
    ["", 0],
    ["a", 0x3c2569b2],
    ["aa", 0x371091a9],
    ["aaa", 0xb4d05fb7],
    ["aaaa", 0x7eeed987],
    ["abc", 0xb3dd93fa],
    ["Hello, world!", 0xc0363e43],
    ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
    ["ππππππππ", 0xec72b6e8],
  ])("of %j is that of the reference implementation", (text, hash) => {
    expect(murmur3(text)).toBe(hash);
  });
});
