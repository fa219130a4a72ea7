import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { source } from "../../../src/adapters/sources/set.ts";
import type { FeatureSets } from "../../../src/domain/evaluation/feature-sets.ts";
import { KeyTemplate } from "../../../src/domain/evaluation/key-template.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { featureResolverContract } from "../../contracts/feature-resolver.contract.ts";
import { hostOn } from "../../support/source-host.ts";
import { redisStore, sqliteStore, type TestStore } from "../../support/stores.ts";

const setOf = (connection: Connection, key: string, maxMembers = 10, warnings: unknown[] = []) =>
  source.create(
    { connection: "store", key: KeyTemplate.parse(key) as KeyTemplate, maxMembers },
    hostOn(connection, { limit: maxMembers, warnings }),
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

  it("switches the features of a fixed key on for everyone", async () => {
    const { features } = await setOf(store.connection, "global_features").resolve({ at: 0 });
    expect([...features.keys()].sort()).toEqual(["feature_1", "feature_2"]);
    expect(features.get("feature_1")?.reason).toBe("STATIC");
  });

  it("returns TARGETING_MATCH for a key with a field", async () => {
    const { features } = await setOf(store.connection, "features:user:{userId}").resolve({ userId: "2", at: 0 });
    expect(features.get("feature_9")?.reason).toBe("TARGETING_MATCH");
  });

  it("includes the sets of a location and of its parents", async () => {
    await store.put("location:es/madrid", ["bear", "tapas"]);
    await store.put("location:es", ["tapas", "siesta"]);
    const resolver = setOf(store.connection, "location:{location}");
    const { features, dependencies: from } = await resolver.resolve({
      locations: ["es/madrid/retiro", "es/madrid", "es"],
      at: 0,
    });
    expect([...features].map(([feature, { on, metadata }]) => [feature, on, metadata?.["set"]]).sort()).toEqual([
      ["bear", true, "location:es/madrid"],
      ["siesta", true, "location:es"],
      ["tapas", true, "location:es/madrid"],
    ]);
    expect(from).toHaveLength(3);
    const one = await resolver.resolve({ locations: ["es"], at: 0 });
    expect([[...one.features.keys()].sort(), one.dependencies?.length]).toEqual([["siesta", "tapas"], 1]);
    expect((await resolver.resolve({ userId: "1", at: 0 })).features.size).toBe(0);
    expect(resolver.varyBy).toEqual(["locations"]);
  });

  it("reads the sets of all locations in one turn of the event loop", async () => {
    const asked: string[] = [];
    const sets: FeatureSets = {
      read: (key, limit) => {
        asked.push(key);
        return store.connection.sets.read(key, limit);
      },
    };
    const answer = setOf({ ...store.connection, sets }, "location:{location}").resolve({
      locations: ["a/b/c", "a/b", "a"],
      at: 0,
    });
    expect(asked).toEqual(["location:a/b/c", "location:a/b", "location:a"]);
    await answer;
  });

  it("rejects if one of several sets exceeds the limit", async () => {
    await store.put("location:pt", ["one"]);
    await store.put("location:pt/lisbon", ["one", "two"]);
    const resolver = setOf(store.connection, "location:{location}", 1);
    await expect((async () => resolver.resolve({ locations: ["pt/lisbon", "pt"], at: 0 }))()).rejects.toThrow(
      /location:pt\/lisbon has more than 1 members/,
    );
  });

  it("rejects if the set exceeds the limit", async () => {
    await expect(setOf(store.connection, "global_features", 1).resolve({ at: 0 })).rejects.toThrow(
      /more than 1 members/,
    );
  });

  it("warns of invalid members at most once a minute", async () => {
    const warnings: unknown[] = [];
    const resolver = setOf(store.connection, "odd", 10, warnings);
    await resolver.resolve({ at: 0 });
    await resolver.resolve({ at: 59_999 });
    await resolver.resolve({ at: 60_000 });
    expect(warnings).toEqual([
      { source: "tested", key: "odd", invalidMembers: 2 },
      { source: "tested", key: "odd", invalidMembers: 2 },
    ]);
  });
});
