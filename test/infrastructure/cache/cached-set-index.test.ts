import { describe, expect, it } from "vitest";
import { StoreDataInvalid } from "../../../src/domain/errors.ts";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import { CachedSetIndex } from "../../../src/infrastructure/cache/cached-set-index.ts";

/** An index over sets in memory, with the reads of the store in order. */
function setUp() {
  const sets = new Map<string, readonly string[]>();
  const reads: string[] = [];
  const listeners: ((key: string | undefined) => void)[] = [];
  const feed = {
    epoch: 1,
    generation: 0,
    live: true,
    isLive: () => feed.live,
    syncedUntil: () => 0,
    notify: (key: string | undefined) => {
      for (const listener of listeners) listener(key);
    },
    subscribe: (listener: (key: string | undefined) => void) => void listeners.push(listener),
  };
  const store = { fault: undefined as Error | undefined, isLarge: false, hold: Promise.resolve() };
  const index = new CachedSetIndex(
    {
      keys: async () => ({ keys: [], complete: true }),
      holders: async () => [],
      holding: async () => ({ keys: [] }),
      contents: async (prefix) => {
        reads.push(`${prefix}*`);
        const found = new Map([...sets].filter(([key]) => key.startsWith(prefix)));
        await store.hold;
        if (store.fault) throw store.fault;
        return store.isLarge ? undefined : { sets: found };
      },
    },
    {
      read: async (key) => {
        reads.push(key);
        const features = sets.get(key) ?? [];
        await store.hold;
        if (store.fault) throw store.fault;
        return uncachedRead({ features, invalidMembers: 0 }, 0);
      },
    },
    feed,
    () => 0,
  );
  const put = (key: string, ...features: readonly string[]) => {
    if (features.length > 0) sets.set(key, features);
    else sets.delete(key);
    feed.notify(key);
  };
  const contents = async () => {
    const found = await index.contents("user:");
    return found && Object.fromEntries(found.sets);
  };
  return { index, feed, store, reads, put, contents };
}

describe("CachedSetIndex", () => {
  it("reads all sets once, then only those that changed", async () => {
    const { index, reads, put, contents } = setUp();
    put("user:1", "a");
    put("user:2", "b");
    expect(await contents()).toEqual({ "user:1": ["a"], "user:2": ["b"] });
    const first = await index.contents("user:");
    expect((await index.contents("user:"))?.sets).toBe(first?.sets);
    put("user:2");
    put("user:3", "a", "c");
    put("other:1", "x");
    expect(await contents()).toEqual({ "user:1": ["a"], "user:3": ["a", "c"] });
    expect(Object.fromEntries(first?.sets ?? [])).toEqual({ "user:1": ["a"], "user:2": ["b"] });
    expect(reads).toEqual(["user:*", "user:2", "user:3"]);
  });

  it("reads all sets again in a new epoch, and whenever the feed is not live", async () => {
    const { feed, reads, put, contents } = setUp();
    put("user:1", "a");
    await contents();
    feed.epoch = 2;
    feed.notify(undefined);
    await contents();
    feed.live = false;
    await contents();
    expect(new Set(reads)).toEqual(new Set(["user:*"]));
    expect(reads.length).toBeGreaterThanOrEqual(3);
  });

  it("includes a change that was made during the read of another caller", async () => {
    const { store, put, contents } = setUp();
    put("user:1", "a");
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    const early = contents();
    put("user:1", "b");
    const late = contents();
    store.hold = Promise.resolve();
    resolve();
    await early;
    expect(await late).toEqual({ "user:1": ["b"] });
  });

  it("returns the last contents with the fault while the store is unavailable", async () => {
    const { index, store, put, contents } = setUp();
    put("user:1", "a");
    const fault = new Error("no connection");
    store.fault = fault;
    await expect(contents()).rejects.toBe(fault);
    store.fault = undefined;
    await contents();
    store.fault = fault;
    put("user:1", "b");
    const last = await index.contents("user:");
    expect([Object.fromEntries(last?.sets ?? []), last?.fault]).toEqual([{ "user:1": ["a"] }, fault]);
    store.fault = undefined;
    expect(await index.contents("user:")).toEqual({ sets: new Map([["user:1", ["b"]]]) });
  });

  it("omits a changed key that is no longer a set", async () => {
    const { store, put, contents } = setUp();
    put("user:1", "a");
    put("user:2", "b");
    await contents();
    store.fault = new StoreDataInvalid("the key user:1 holds a string");
    put("user:1", "a");
    expect(await contents()).toEqual({ "user:2": ["b"] });
  });

  it("returns nothing for a store that is too large", async () => {
    const { store, put, contents } = setUp();
    put("user:1", "a");
    store.isLarge = true;
    expect(await contents()).toBeUndefined();
    store.isLarge = false;
    expect(await contents()).toEqual({ "user:1": ["a"] });
  });
});
