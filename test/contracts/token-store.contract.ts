import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { ChangeRecord, TokenRecord } from "../../src/domain/admin/change.ts";
import type { TokenStore } from "../../src/domain/admin/token-store.ts";
import { RevisionMismatch } from "../../src/domain/errors.ts";
import type { TokenResolver } from "../../src/domain/evaluation/token-resolver.ts";

/** A store of tokens, and its resolver. */
export type TokenStoreUnderTest = {
  readonly store: TokenStore;
  readonly resolver: TokenResolver;
  /** Sets a token's user externally. */
  readonly put: (token: string, userId: string) => Promise<void>;
  /** The records in the store's outbox, in order. */
  readonly records: () => Promise<readonly ChangeRecord[]>;
};

/** The contract of TokenStore. */
export function tokenStoreContract(open: () => TokenStoreUnderTest): void {
  const change = () => ({ id: uuidv7(), by: "alice" });

  const opened = () => {
    const { store, resolver, put, records } = open();
    return {
      store,
      put,
      records,
      assign: (token: string, userId: string) => store.assign({ ...change(), token, userId }),
      revoke: (token: string) => store.revoke({ ...change(), token }),
      userOf: async (token: string) => (await resolver.resolve(token)).value,
      recordsOf: async (...users: string[]) =>
        (await records()).filter(
          (record): record is TokenRecord => record.of === "token" && users.includes(record.userId),
        ),
    };
  };

  describe("TokenStore", () => {
    it("adds a token", async () => {
      const { assign, userOf } = opened();
      expect((await assign("assigned", "1")).before).toBeUndefined();
      expect(await userOf("assigned")).toBe("1");
    });

    it("moves a token, and returns its previous user", async () => {
      const { assign, userOf } = opened();
      await assign("moved", "1");
      expect((await assign("moved", "2")).before).toBe("1");
      expect(await userOf("moved")).toBe("2");
    });

    it("revokes one token only", async () => {
      const { assign, revoke, userOf } = opened();
      await assign("kept", "1");
      await assign("revoked", "2");
      expect(await revoke("revoked")).toBe("2");
      expect(await revoke("revoked")).toBeUndefined();
      expect(await userOf("revoked")).toBeUndefined();
      expect(await userOf("kept")).toBe("1");
    });

    it("revokes a token by its id", async () => {
      const { store, userOf } = opened();
      const issue = change();
      await store.assign({ ...issue, token: "by-id", userId: "1" });
      const revoke = (tokenId: string, userId: string) => store.revoke({ ...change(), tokenId, userId });
      expect(await revoke(change().id, "1")).toBeUndefined();
      expect(await revoke(issue.id, "2")).toBeUndefined();
      expect(await userOf("by-id")).toBe("1");
      expect(await store.keyById(issue.id)).toBeDefined();
      expect(await revoke(issue.id, "1")).toBe("1");
      expect(await store.keyById(issue.id)).toBeUndefined();
      expect(await userOf("by-id")).toBeUndefined();
      expect(await revoke(issue.id, "1")).toBeUndefined();
    });

    it("lists the issued tokens of a user by id, oldest first", async () => {
      const { store, put, revoke } = opened();
      const issues = [change(), change(), change()];
      const before = Date.now();
      for (const [index, issue] of issues.entries()) {
        await store.assign({ ...issue, by: `author-${index}`, token: `list-${index}`, userId: "lister" });
      }
      await store.assign({ ...change(), token: "list-other", userId: "another" });
      await put("list-foreign", "lister");
      await revoke("list-1");
      const listed = await store.list("lister");
      expect(listed).toEqual([
        { id: issues[0]?.id, userId: "lister", issuedAt: expect.any(Number), by: "author-0" },
        { id: issues[2]?.id, userId: "lister", issuedAt: expect.any(Number), by: "author-2" },
      ]);
      for (const { issuedAt } of listed) {
        expect(issuedAt).toBeGreaterThanOrEqual(before);
        expect(issuedAt).toBeLessThanOrEqual(Date.now());
      }
      expect(await store.list("nobody")).toEqual([]);
    });

    it("lists a moved token for its new user only", async () => {
      const { store, assign } = opened();
      await assign("list-moved", "list-from");
      await assign("list-moved", "list-to");
      expect(await store.list("list-from")).toEqual([]);
      expect(await store.list("list-to")).toHaveLength(1);
    });

    it("records each issue and each revocation, without the token", async () => {
      const { store, records, recordsOf } = opened();
      const issue = { ...change(), email: "alice@example.org", note: "for the shop" };
      const end = { id: uuidv7(), by: "bob" };
      await store.assign({ ...issue, token: "recorded-s3cret", userId: "recorded" });
      await store.revoke({ ...end, token: "recorded-s3cret" });
      const common = { of: "token", tokenId: issue.id, userId: "recorded", at: expect.any(Number) };
      const found = await recordsOf("recorded");
      expect(found).toEqual([
        { ...common, ...issue, origin: "issued", revision: { epoch: issue.id, number: 1 } },
        { ...common, ...end, origin: "revoked", revision: { epoch: issue.id, number: 2 } },
      ]);
      expect(found[1]?.at).toBeGreaterThanOrEqual(found[0]?.at ?? Number.POSITIVE_INFINITY);
      expect(JSON.stringify(await records())).not.toContain("s3cret");
    });

    it("records a moved token as revoked and issued", async () => {
      const { store, recordsOf } = opened();
      const [first, second] = [change(), { ...change(), by: "bob" }];
      await store.assign({ ...first, token: "recorded-moved", userId: "from" });
      await store.assign({ ...second, token: "recorded-moved", userId: "to" });
      const [issued, revoked, issuedAnew, ...rest] = await recordsOf("from", "to");
      expect(rest).toEqual([]);
      expect(issued).toMatchObject({ id: first.id, tokenId: first.id, userId: "from", origin: "issued" });
      expect(revoked).toMatchObject({ by: "bob", tokenId: first.id, userId: "from", origin: "revoked" });
      expect(revoked?.revision).toEqual({ epoch: first.id, number: 2 });
      expect(issuedAnew).toMatchObject({ id: second.id, tokenId: second.id, userId: "to", origin: "issued" });
      expect(issuedAnew?.revision).toEqual({ epoch: second.id, number: 1 });
      expect(new Set([issued?.id, revoked?.id, issuedAnew?.id]).size).toBe(3);
    });

    it("records the revocation of an external token under a new id", async () => {
      const { put, revoke, assign, recordsOf } = opened();
      await put("foreign-revoked", "foreign");
      await put("foreign-moved", "foreign");
      expect(await revoke("foreign-revoked")).toBe("foreign");
      expect((await assign("foreign-moved", "1")).before).toBe("foreign");
      const found = await recordsOf("foreign");
      expect(found).toHaveLength(2);
      for (const { id, tokenId, origin, revision } of found) {
        expect([tokenId, origin, revision]).toEqual([id, "revoked", { epoch: id, number: 1 }]);
      }
    });

    it("records no revocation of an unknown token", async () => {
      const { store, revoke, records } = opened();
      const before = await records();
      await revoke("never-known");
      await store.revoke({ ...change(), tokenId: uuidv7(), userId: "1" });
      expect(await records()).toEqual(before);
    });

    it("applies a change once per idempotency key, and returns its first result", async () => {
      const { store, userOf, recordsOf } = opened();
      const assign = (userId: string) => store.assign({ ...change(), idempotencyKey: "job-1", token: "once", userId });
      const first = await assign("once-a");
      expect(first).toEqual({ tokenId: expect.any(String), before: undefined });
      expect(await assign("once-b")).toEqual(first);
      expect(await userOf("once")).toBe("once-a");
      const revoke = () => store.revoke({ ...change(), idempotencyKey: "job-2", token: "once" });
      expect(await revoke()).toBe("once-a");
      expect(await revoke()).toBe("once-a");
      expect((await recordsOf("once-a", "once-b")).map(({ origin }) => origin)).toEqual(["issued", "revoked"]);
    });

    it("applies a change only at its expected revision", async () => {
      const { store, assign, userOf, recordsOf } = opened();
      const issue = change();
      const conditional = { token: "conditional", userId: "conditional" };
      await store.assign({ ...issue, ...conditional, ifRevision: null });
      await expect(store.assign({ ...change(), ...conditional, ifRevision: null })).rejects.toThrow(RevisionMismatch);
      const present = { epoch: issue.id, number: 1 };
      const late = { ...change(), token: "conditional", ifRevision: { ...present, number: 2 } };
      await expect(store.revoke(late)).rejects.toThrow(RevisionMismatch);
      expect(await userOf("conditional")).toBe("conditional");
      expect(await store.revoke({ ...change(), token: "conditional", ifRevision: present })).toBe("conditional");
      expect(await recordsOf("conditional")).toHaveLength(2);
      expect((await assign("conditional", "1")).before).toBeUndefined();
    });

    it("has a record for each of many concurrent changes", async () => {
      const { assign, userOf, recordsOf } = opened();
      const users = Array.from({ length: 30 }, (_, index) => `at-once-${index}`);
      await Promise.all(users.map((user) => assign("at-once", user)));
      const found = await recordsOf(...users);
      expect(found.filter(({ origin }) => origin === "issued")).toHaveLength(30);
      expect(found.filter(({ origin }) => origin === "revoked")).toHaveLength(29);
      expect(found.at(-1)).toMatchObject({ userId: await userOf("at-once"), origin: "issued" });
    });
  });
}
