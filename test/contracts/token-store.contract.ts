import { describe, expect, it } from "vitest";
import type { TokenResolver } from "../../src/domain/token-resolver.ts";
import type { TokenStore } from "../../src/domain/token-store.ts";

/** A store of tokens, and what looks them up. */
export type TokenStoreUnderTest = { readonly store: TokenStore; readonly resolver: TokenResolver };

/** What every TokenStore does. */
export function tokenStoreContract(open: () => TokenStoreUnderTest): void {
  describe("TokenStore", () => {
    it("lets a token speak for a user", async () => {
      const { store, resolver } = open();
      expect(await store.assign("assigned", "1")).toBeUndefined();
      expect((await resolver.resolve("assigned")).value).toBe("1");
    });

    it("lets a token speak for another user, and tells for whom it spoke before", async () => {
      const { store, resolver } = open();
      await store.assign("moved", "1");
      expect(await store.assign("moved", "2")).toBe("1");
      expect((await resolver.resolve("moved")).value).toBe("2");
    });

    it("makes a token unknown, and no other", async () => {
      const { store, resolver } = open();
      await store.assign("kept", "1");
      await store.assign("revoked", "2");
      expect(await store.revoke("revoked")).toBe("2");
      expect(await store.revoke("revoked")).toBeUndefined();
      expect((await resolver.resolve("revoked")).value).toBeUndefined();
      expect((await resolver.resolve("kept")).value).toBe("1");
    });
  });
}
