import { describe, expect, it } from "vitest";
import { StoreDataInvalid } from "../../src/domain/errors.ts";
import type { TokenResolver } from "../../src/domain/evaluation/token-resolver.ts";
import { oddTokens, unlikelyTokens } from "../support/unlikely.ts";

/** A resolver, and a way to set a token's user externally. */
export type TokenResolverUnderTest = {
  readonly resolver: TokenResolver;
  readonly put: (token: string, userId: string) => Promise<void>;
};

/** The contract of TokenResolver. */
export function tokenResolverContract(open: () => TokenResolverUnderTest): void {
  describe("TokenResolver", () => {
    it("returns the user of a token", async () => {
      const { resolver, put } = open();
      await put("1234", "1");
      await put("abc.DEF_~+/-==", "user@example.org");
      expect((await resolver.resolve("1234")).value).toBe("1");
      expect((await resolver.resolve("abc.DEF_~+/-==")).value).toBe("user@example.org");
    });

    it("returns the user of a token by its key", async () => {
      const { resolver, put } = open();
      await put("1234", "1");
      expect((await resolver.resolveKey(resolver.keyOf("1234"))).value).toBe("1");
      expect((await resolver.resolveKey(resolver.keyOf("12345"))).value).toBeUndefined();
    });

    it("returns unknown for an absent token", async () => {
      const { resolver, put } = open();
      await put("1234", "1");
      expect((await resolver.resolve("123")).value).toBeUndefined();
      expect((await resolver.resolve("12345")).value).toBeUndefined();
    });

    it.each(unlikelyTokens)("returns unknown for %j", async (token) => {
      const { resolver, put } = open();
      await put("1234", "1");
      expect((await resolver.resolve(token)).value).toBeUndefined();
    });

    it.each(oddTokens)("resolves exactly %j, and no similar token", async (token) => {
      const { resolver, put } = open();
      await put("1234", "1");
      expect((await resolver.resolve(token)).value).toBeUndefined();
      await put(token, "odd");
      expect((await resolver.resolve(token)).value).toBe("odd");
      expect((await resolver.resolve(`${token}x`)).value).toBeUndefined();
    });

    it.each(["", "a\nb", "x".repeat(201)])("rejects the invalid user id %j", async (userId) => {
      const { resolver, put } = open();
      await put("broken", userId);
      await expect(resolver.resolve("broken")).rejects.toBeInstanceOf(StoreDataInvalid);
    });
  });
}
