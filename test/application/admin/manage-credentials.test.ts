import { afterAll, describe, expect, it } from "vitest";
import { ManageCredentials } from "../../../src/application/admin/manage-credentials.ts";
import { ChangeRejected } from "../../../src/domain/errors.ts";
import { secretDigest } from "../../../src/infrastructure/secrets/credential-secret.ts";
import { credentialsOn } from "../../support/credentials.ts";
import { recordsIn, sqliteStore } from "../../support/stores.ts";

const author = { by: "cli:root" };

describe("ManageCredentials", () => {
  const store = sqliteStore();
  const { connection } = store;
  const credentials = credentialsOn(connection.documents);
  afterAll(() => store[Symbol.asyncDispose]());

  it("issues an unguessable secret, and returns it once", async () => {
    const secret = await credentials.add("alice", "editor", "alice@example.org", author);
    const other = await credentials.add("bob", "viewer", undefined, author);
    expect(secret).toMatch(/^tgc_[A-Za-z0-9_-]{43}$/);
    expect(other).not.toBe(secret);
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await credentials.list()).toEqual([
      { name: "alice", scope: "editor", email: "alice@example.org", since },
      { name: "bob", scope: "viewer", since },
    ]);
  });

  it("stores and records the digest of a secret only", async () => {
    const secret = await credentials.add("recorded", "admin", undefined, { ...author, note: "for the tests" });
    await credentials.revoke("recorded", { by: "alice" });
    const records = await recordsIn(connection);
    expect(records.slice(-2)).toMatchObject([
      {
        of: "document",
        collection: "credentials",
        name: "recorded",
        by: "cli:root",
        note: "for the tests",
        value: { scope: "admin", digest: secretDigest(secret) },
      },
      { of: "document", collection: "credentials", name: "recorded", by: "alice", value: null },
    ]);
    expect(JSON.stringify(records)).not.toContain(secret);
    expect(JSON.stringify(records)).not.toContain(secret.slice("tgc_".length));
  });

  it("rejects a name in use, and accepts it again after the revocation", async () => {
    await credentials.add("once", "viewer", undefined, author);
    const refused = credentials.add("once", "admin", undefined, author);
    await expect(refused).rejects.toThrow("The credential once exists. Revoke it first");
    await credentials.revoke("once", author);
    await credentials.add("once", "editor", undefined, author);
    expect((await credentials.list()).find(({ name }) => name === "once")?.scope).toBe("editor");
  });

  it("rejects the revocation of an unknown credential", async () => {
    await expect(credentials.revoke("nobody", author)).rejects.toThrow('Unknown credential "nobody"');
  });

  it.each(["", " ", "a b", "-a", "cli:root", "a/b", "é", "a\n", "x".repeat(101), "admin", "external"])(
    "rejects the name %j",
    async (name) => {
      await expect(credentials.add(name, "viewer", undefined, author)).rejects.toThrow(ChangeRejected);
    },
  );

  it.each(["", "alice", "@example.org", "alice@", "a b@example.org", "a@b@c", "a@b\n", `a@${"b".repeat(190)}`])(
    "rejects the email %j",
    async (email) => {
      await expect(credentials.add("mailed", "viewer", email, author)).rejects.toThrow("Invalid email address");
    },
  );

  it("returns a hint without a store", async () => {
    const none = new ManageCredentials(undefined, () => ({ secret: "", digest: "" }), String, Date.now);
    await expect(none.list()).rejects.toThrow("Declare one under");
    await expect(none.add("alice", "viewer", undefined, author)).rejects.toThrow("Declare one under");
  });
});
