import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { source } from "../../../src/adapters/sources/set.ts";
import { KeyTemplate } from "../../../src/domain/key-template.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { featureResolverContract } from "../../contracts/feature-resolver.contract.ts";
import { hostOn, redisStore, sqliteStore, type TestStore } from "../../support/stores.ts";

const setOf = (connection: Connection, key: string, maxMembers = 10, warnings: unknown[] = []) =>
  source.create(
    { connection: "store", key: KeyTemplate.parse(key) as KeyTemplate, maxMembers },
    hostOn(connection, warnings),
  );

describe.each([
  ["Redis", redisStore],
  ["SQLite", async () => sqliteStore()],
])("kind set over %s", (_, open: () => Promise<TestStore>) => {
  let store: TestStore;
  beforeAll(async () => {
    store = await open();
    await store.put("global_features", ["feature_1", "feature_2"]);
    await store.put("features:user:1", ["feature_3", "constructor"]);
    await store.put("features:user:2", ["feature_9"]);
    await store.put("odd", ["good", "", "\u0001"]);
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
  });

  featureResolverContract(
    async () => ({
      resolver: setOf(store.connection, "features:user:{userId}"),
      context: { userId: "1", at: 0 },
      on: ["feature_3", "constructor"],
    }),
    async () => {
      await using closed = await open();
      return setOf(closed.connection, "features:user:{userId}");
    },
  );

  it("gives a set with a fixed key to everyone", async () => {
    const { features } = await setOf(store.connection, "global_features").resolve({ at: 0 });
    expect([...features.keys()].sort()).toEqual(["feature_1", "feature_2"]);
    expect(features.get("feature_1")?.reason).toBe("STATIC");
  });

  it("says of a set with a field that it matched the caller", async () => {
    const { features } = await setOf(store.connection, "features:user:{userId}").resolve({ userId: "2", at: 0 });
    expect(features.get("feature_9")?.reason).toBe("TARGETING_MATCH");
  });

  it("cannot tell where the set has more members than it may", async () => {
    await expect(setOf(store.connection, "global_features", 1).resolve({ at: 0 })).rejects.toThrow(
      /more than 1 members/,
    );
  });

  it("warns of members that cannot be feature keys, at most once a minute", async () => {
    const warnings: unknown[] = [];
    const resolver = setOf(store.connection, "odd", 10, warnings);
    await resolver.resolve({ at: 0 });
    await resolver.resolve({ at: 59_999 });
    await resolver.resolve({ at: 60_000 });
    expect(warnings).toEqual([
      { source: "tested", key: "odd", skipped: 2 },
      { source: "tested", key: "odd", skipped: 6 },
    ]);
  });
});
