import { afterAll, describe, expect, it } from "vitest";
import { IdentifyOperator } from "../../../src/application/admin/identify-operator.ts";
import { firstCredential } from "../../../src/domain/admin/credential.ts";
import type { DocumentStore } from "../../../src/domain/admin/document-store.ts";
import { SourceUnavailable } from "../../../src/domain/errors.ts";
import { secretDigest } from "../../../src/infrastructure/secrets/credential-secret.ts";
import { plainTokenKey } from "../../../src/infrastructure/token-key.ts";
import { credentialsOn } from "../../support/credentials.ts";
import { aChange, sqliteStore } from "../../support/stores.ts";

const author = { by: "tester" };

describe("IdentifyOperator", () => {
  const store = sqliteStore();
  const { documents, tokenResolver, tokenStore } = store.connection;
  const credentials = credentialsOn(documents);
  const clients = tokenResolver(plainTokenKey());
  afterAll(() => store[Symbol.asyncDispose]());

  /** A clock set by the test, and a store that can become unavailable. */
  function opened() {
    const world = { now: 0, isAway: false, reads: 0 };
    const all: DocumentStore["all"] = async (collection) => {
      world.reads += 1;
      if (world.isAway) throw new Error("away");
      return documents.all(collection);
    };
    const first = { secret: "the-first-credential", credential: firstCredential };
    const identify = new IdentifyOperator({ ...documents, all }, clients, {
      digestOf: secretDigest,
      first,
      maxStaleMs: 60_000,
      now: () => world.now,
    });
    return { world, who: (secret: string) => identify.identify(secret) };
  }

  it("identifies the first credential, clients and issued credentials only", async () => {
    const { who } = opened();
    const secret = await credentials.add("alice", "editor", "alice@example.org", author);
    await tokenStore(plainTokenKey()).assign({ ...aChange(), token: "1234", userId: "1" });
    expect(await who("the-first-credential")).toEqual({ name: "admin", scope: "admin" });
    expect(await who(secret)).toEqual({ name: "alice", scope: "editor", email: "alice@example.org" });
    expect(await who("1234")).toBe("client");
    for (const unknown of ["", "12345", `${secret}x`, secret.slice(0, -1), secretDigest(secret), "alice", "*"]) {
      expect([unknown, await who(unknown)]).toEqual([unknown, undefined]);
    }
  });

  it("rejects a revoked credential after 1 s, and accepts an added one after 100 ms", async () => {
    const { world, who } = opened();
    const secret = await credentials.add("bob", "viewer", undefined, author);
    expect(await who(secret)).toMatchObject({ name: "bob" });
    await credentials.revoke("bob", author);
    world.now += 1_000;
    expect(await who(secret)).toBeUndefined();
    const anew = await credentials.add("bob", "admin", undefined, author);
    world.now += 100;
    expect(await who(anew)).toMatchObject({ name: "bob", scope: "admin" });
    expect(await who(secret)).toBeUndefined();
  });

  it("shares one read among concurrent callers, and caches it", async () => {
    const { world, who } = opened();
    const secret = await credentials.add("carol", "viewer", undefined, author);
    await Promise.all(Array.from({ length: 50 }, (_, index) => who(index % 2 ? secret : `unknown-${index}`)));
    expect(world.reads).toBe(1);
    world.now += 999;
    await who(secret);
    expect(world.reads).toBe(1);
    world.now += 1;
    await who(secret);
    expect(world.reads).toBe(2);
  });

  it("accepts cached credentials for a time during an outage, and reports the outage for others", async () => {
    const { world, who } = opened();
    const secret = await credentials.add("dave", "viewer", undefined, author);
    expect(await who(secret)).toMatchObject({ name: "dave" });
    world.isAway = true;
    for (const now of [1_000, 30_000, 59_999]) {
      world.now = now;
      expect(await who(secret)).toMatchObject({ name: "dave" });
      await expect(who("unknown")).rejects.toThrow(SourceUnavailable);
      await expect(who("1234")).rejects.toThrow(SourceUnavailable);
      expect(await who("the-first-credential")).toEqual(firstCredential);
    }
    expect(world.reads).toBe(4);
    world.now = 60_000;
    await expect(who(secret)).rejects.toThrow(SourceUnavailable);
    world.isAway = false;
    world.now = 61_000;
    expect(await who(secret)).toMatchObject({ name: "dave" });
    expect(await who("unknown")).toBeUndefined();
  });

  it("stops waiting for a store that hangs", async () => {
    const hanging = { ...documents, all: () => new Promise<never>(() => {}) };
    const options = { digestOf: secretDigest, first: undefined, maxStaleMs: 1_000, now: () => 0 };
    await expect(new IdentifyOperator(hanging, clients, options).identify("unknown")).rejects.toThrow(
      SourceUnavailable,
    );
  });

  it("rejects malformed credential documents", async () => {
    const { who } = opened();
    const digest = secretDigest("forged");
    const since = "2026-11-21T09:00:00.000Z";
    const values = [null, "x", [], {}, { digest, scope: "root", since }, { digest: [digest], scope: "admin", since }];
    for (const [index, value] of values.entries()) {
      await documents.put({ ...aChange(), collection: "credentials", name: `forged-${index}`, value });
      expect(await who("forged")).toBeUndefined();
    }
  });

  it("accepts only the first credential without a store", async () => {
    const options = { digestOf: secretDigest, first: undefined, maxStaleMs: 1_000, now: () => 0 };
    expect(await new IdentifyOperator(undefined, clients, options).identify("x")).toBeUndefined();
  });
});
