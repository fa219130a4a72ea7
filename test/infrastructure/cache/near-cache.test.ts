import { describe, expect, it } from "vitest";
import { StoreDataInvalid } from "../../../src/domain/errors.ts";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { InvalidationFeed } from "../../../src/domain/evaluation/invalidation-feed.ts";
import { NearCache } from "../../../src/infrastructure/cache/near-cache.ts";
import { until } from "../../support/until.ts";

/** A feed and a clock that the test controls. */
class HandFeed implements InvalidationFeed {
  epoch = 1;
  generation = 0;
  live = true;
  proven = new Map<number, number>();
  isLive = () => this.live;
  syncedUntil = (epoch: number) => this.proven.get(epoch) ?? Number.NEGATIVE_INFINITY;
  notify = () => {};
  subscribe = () => {};
}

function setUp({ capacity = 100, expiryMs = 60_000, maxStaleMs = 10_000, staleIfInvalid = true } = {}) {
  const feed = new HandFeed();
  /** `set`: the offset of the wall clock. */
  const time = { now: 1_000_000, set: 0 };
  const store = new Map<string, string>();
  const reads: string[] = [];
  let failure: Error | undefined;
  let gate: Promise<void> | undefined;
  const cache = new NearCache<string | undefined>({
    isArbitrary: (value) => value === undefined,
    isSame: Object.is,
    invalidations: feed,
    limits: { capacity, expiryMs, maxStaleMs },
    now: () => time.now + time.set,
    monotonic: () => time.now,
    staleIfInvalid,
  });
  const get = (key: string) =>
    cache.get(key, async () => {
      reads.push(key);
      const at = time.now;
      const value = store.get(key);
      await gate;
      if (failure) throw failure;
      return uncachedRead(value, at);
    });
  return {
    feed,
    time,
    store,
    reads,
    cache,
    get,
    fail: (error?: Error) => {
      failure = error;
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
  };
}

describe("the near cache", () => {
  it("reads a key once, and again after a change", async () => {
    const { get, store, reads, cache, time } = setUp();
    store.set("a", "1");
    expect((await get("a")).value).toBe("1");
    const cached = await get("a");
    expect([cached.value, cached.isCurrent(time.now), reads.length]).toEqual(["1", true, 1]);
    store.set("a", "2");
    cache.invalidate("a");
    expect(cached.isCurrent(time.now)).toBe(false);
    expect((await get("a")).value).toBe("2");
    expect(reads).toEqual(["a", "a"]);
  });

  it("caches absent keys", async () => {
    const { get, reads, cache, store } = setUp();
    expect((await get("a")).value).toBeUndefined();
    await get("a");
    expect(reads).toHaveLength(1);
    store.set("a", "1");
    cache.invalidate("a");
    expect((await get("a")).value).toBe("1");
  });

  it("invalidates all entries on an unspecified change", async () => {
    const { get, cache, reads } = setUp();
    await get("a");
    await get("b");
    cache.invalidate(undefined);
    await get("a");
    await get("b");
    expect(reads).toEqual(["a", "b", "a", "b"]);
  });

  it("shares one read among concurrent callers", async () => {
    const { get, reads, hold, store } = setUp();
    store.set("a", "1");
    const release = hold();
    const answers = Array.from({ length: 1_000 }, () => get("a"));
    release();
    expect(new Set((await Promise.all(answers)).map(({ value }) => value))).toEqual(new Set(["1"]));
    expect(reads).toHaveLength(1);
  });

  it("does not cache a read that overlaps a change, and shares it with no later caller", async () => {
    const { get, store, reads, cache, hold, time } = setUp();
    store.set("a", "old");
    const release = hold();
    const early = get("a");
    store.set("a", "new");
    cache.invalidate("a");
    const late = get("a");
    release();
    const overtaken = await early;
    expect([overtaken.value, overtaken.isCurrent(time.now)]).toEqual(["old", false]);
    expect((await late).value).toBe("new");
    expect((await get("a")).value).toBe("new");
    expect(reads).toHaveLength(2);
  });

  it("marks reads of an earlier epoch or a lost feed as not fresh", async () => {
    const { get, feed, reads, time } = setUp();
    const cached = await get("a");
    feed.live = false;
    expect(cached.isCurrent(time.now)).toBe(false);
    feed.live = true;
    expect(cached.isCurrent(time.now)).toBe(true);
    feed.epoch = 2;
    expect(cached.isCurrent(time.now)).toBe(false);
    await get("a");
    expect(reads).toHaveLength(2);
  });

  it("does not cache a read as fresh if its epoch ended", async () => {
    const { get, feed, hold, time } = setUp();
    const release = hold();
    const answer = get("a");
    feed.epoch = 2;
    release();
    expect((await answer).isCurrent(time.now)).toBe(false);
  });

  it("renews dependent evaluations if an equal value is read again", async () => {
    const { get, feed, time, cache, store, reads } = setUp({ expiryMs: 1_000 });
    store.set("a", "1");
    const cached = await get("a");
    for (const doubt of [() => cache.invalidate("a"), () => (feed.epoch += 1), () => (time.now += 1_500)]) {
      doubt();
      expect(cached.isCurrent(time.now)).toBe(false);
      expect(await get("a")).toBe(cached);
      expect(cached.isCurrent(time.now)).toBe(true);
    }
    expect(reads).toHaveLength(4);
  });

  it("marks evicted and replaced entries as not fresh", async () => {
    const { get, feed, time, store } = setUp({ capacity: 2 });
    const first = await get("a");
    feed.live = false;
    store.set("a", "another");
    const again = await get("a");
    feed.live = true;
    expect([first.isCurrent(time.now), again.isCurrent(time.now)]).toEqual([false, true]);
    for (const other of ["b", "c"]) store.set(other, "1");
    await get("b");
    await get("c");
    expect(again.isCurrent(time.now)).toBe(false);
  });

  it("does not evict present keys for absent ones", async () => {
    const { get, store, reads } = setUp({ capacity: 3 });
    store.set("real", "1");
    await get("real");
    for (let index = 0; index < 100; index++) await get(`random-${index}`);
    reads.length = 0;
    await get("real");
    expect(reads).toEqual([]);
  });

  it("reads again after the expiry of the cache or the key", async () => {
    const { get, cache, time, reads } = setUp({ expiryMs: 1_000 });
    await get("a");
    time.now += 799;
    await get("a");
    expect(reads).toHaveLength(1);
    time.now += 402;
    await get("a");
    expect(reads).toHaveLength(2);
    const shortLived = await cache.get("b", async () => uncachedRead("1", time.now, time.now + 50));
    time.now += 49;
    expect(shortLived.isCurrent(time.now)).toBe(true);
    time.now += 1;
    expect(shortLived.isCurrent(time.now)).toBe(false);
  });

  it("serves the last value during an outage, with age and error, up to a limit", async () => {
    const { get, store, feed, time, fail } = setUp({ maxStaleMs: 10_000 });
    store.set("a", "1");
    await get("a");
    feed.proven.set(1, time.now + 500);
    time.now += 2_000;
    feed.live = false;
    fail(new Error("away"));
    const cached = await get("a");
    expect([cached.value, cached.isCurrent(time.now), cached.verifiedAt(time.now)]).toEqual(["1", false, 1_000_500]);
    expect(cached.lastError).toEqual(new Error("away"));
    time.now = 1_000_500 + 10_000;
    expect((await get("a")).value).toBe("1");
    time.now += 300;
    await expect(get("a")).rejects.toThrow("away");
  });

  it("keeps the error of a stale value until the key is read again", async () => {
    const { get, fail, cache, store, time } = setUp();
    store.set("a", "1");
    await get("a");
    const away = new Error("no response");
    fail(away);
    cache.invalidate("a");
    const last = await get("a");
    expect([last.value, last.lastError]).toEqual(["1", away]);
    store.set("a", "2");
    cache.invalidate("a");
    expect([last.lastError, last.isCurrent(time.now)]).toEqual([away, false]);
    const again = await get("a");
    cache.invalidate(undefined);
    expect(again.lastError).toBe(away);
    fail();
    store.set("a", "1");
    const read = await get("a");
    expect([read.value, read.lastError, read.isCurrent(time.now)]).toEqual(["1", undefined, true]);
  });

  it("measures ages and expiries by the monotonic clock", async () => {
    const { get, cache, store, feed, time, fail, reads } = setUp({ maxStaleMs: 10_000, expiryMs: 60_000 });
    store.set("a", "1");
    await get("a");
    time.set = 25 * 3_600_000;
    await get("a");
    expect(reads).toHaveLength(1);
    feed.proven.set(1, time.now);
    feed.live = false;
    fail(new Error("away"));
    time.now += 5_000;
    for (const set of [0, -5_000, -3_600_000, 25 * 3_600_000]) {
      time.set = set;
      const wall = time.now + set;
      const cached = await get("a");
      expect([cached.value, cached.isCurrent(wall), wall - cached.verifiedAt(wall)]).toEqual(["1", false, 5_000]);
      expect([...cache.lastKnown()]).toEqual([{ key: "a", value: "1", asOf: wall - 5_000 }]);
    }
    time.now += 5_001;
    await expect(get("a")).rejects.toThrow("away");
  });

  it("does not retry a cached key for 250 ms after a failed read", async () => {
    const { get, store, feed, time, fail, reads } = setUp();
    store.set("a", "1");
    await get("a");
    feed.live = false;
    fail(new Error("away"));
    reads.length = 0;
    await get("a");
    await get("a");
    expect(reads).toHaveLength(1);
    expect((await get("a")).lastError).toEqual(new Error("away"));
    await expect(get("never read")).rejects.toThrow("away");
    fail();
    time.now += 250;
    feed.live = true;
    feed.epoch = 2;
    expect((await get("a")).lastError).toBeUndefined();
  });

  it("reports whether an entry is served during an outage, until the next retry", async () => {
    const { get, store, feed, time, fail, cache } = setUp({ capacity: 1, maxStaleMs: 1_000 });
    store.set("a", "1");
    const cached = await get("a");
    expect(cached.isServedStale?.()).toBe(false);
    feed.live = false;
    fail(new Error("away"));
    await get("a");
    expect([cached.isServedStale?.(), cached.lastError]).toEqual([true, new Error("away")]);
    time.now += 250;
    expect(cached.isServedStale?.()).toBe(false);
    await get("a");
    expect(cached.isServedStale?.()).toBe(true);
    cache.invalidate("a");
    expect(cached.isServedStale?.()).toBe(false);
    await get("a");
    time.now += 751;
    await expect(get("a")).rejects.toThrow("away");
    expect(cached.isServedStale?.()).toBe(false);
  });

  it("does not serve an entry that has left the cache during an outage", async () => {
    const { get, store, feed, fail } = setUp({ capacity: 1 });
    store.set("a", "1");
    store.set("b", "1");
    const evicted = await get("a");
    await get("b");
    feed.live = false;
    fail(new Error("away"));
    await get("b");
    expect(evicted.isServedStale?.()).toBe(false);
  });

  it("retries one cached key at a time during an outage", async () => {
    const { get, store, feed, time, fail, reads, cache } = setUp();
    for (const key of ["a", "b", "c"]) {
      store.set(key, "1");
      await get(key);
    }
    const all = async () => {
      reads.length = 0;
      const cached = [await get("a"), await get("b"), await get("c")];
      expect(cached.map(({ value }) => value)).toEqual(["1", "1", "1"]);
      return cached.filter(({ lastError: fault }) => fault).length;
    };
    feed.live = false;
    fail(new Error("away"));
    expect([await all(), reads]).toEqual([3, ["a"]]);
    time.now += 250;
    expect([await all(), reads]).toEqual([3, ["a"]]);
    cache.invalidate("b");
    expect([await all(), reads]).toEqual([3, ["b"]]);
    fail();
    time.now += 250;
    feed.live = true;
    feed.epoch = 2;
    expect([await all(), reads]).toEqual([0, ["a", "b", "c"]]);
  });

  it("reads a changed key at once even if an earlier read failed later", async () => {
    for (const live of [true, false]) {
      const { get, store, cache, feed, fail, hold } = setUp();
      store.set("a", "1");
      store.set("b", "1");
      await get("a");
      await get("b");
      feed.epoch = 2;
      feed.live = live;
      const release = hold();
      const overtaken = [get("a"), get("b")];
      store.set("a", "2");
      cache.invalidate("a");
      fail(new Error("timed out"));
      release();
      expect((await Promise.all(overtaken)).map(({ lastError: fault }) => fault)).toEqual(
        Array(2).fill(new Error("timed out")),
      );
      fail();
      expect((await get("a")).value).toBe("2");
    }
  });

  it("reads an invalidated key at once even after a failed read", async () => {
    const { get, store, cache, fail } = setUp();
    store.set("a", "1");
    await get("a");
    cache.invalidate("a");
    fail(new Error("away"));
    expect((await get("a")).value).toBe("1");
    fail();
    store.set("a", "2");
    cache.invalidate("a");
    expect((await get("a")).value).toBe("2");
  });

  it("rejects without a cached value, and retries invalid data each time", async () => {
    const { get, fail, reads } = setUp();
    fail(new StoreDataInvalid("mend it"));
    await expect(get("a")).rejects.toThrow("mend it");
    await expect(get("a")).rejects.toThrow("mend it");
    expect(reads).toHaveLength(2);
  });

  it("reads a key even if others are not readable", async () => {
    const { get, store, cache, fail, time } = setUp();
    store.set("a", "1");
    await get("a");
    for (let call = 0; call < 10; call++) {
      fail(new Error("no permission"));
      await expect(get("forbidden")).rejects.toThrow();
      time.now += 100;
    }
    fail();
    store.set("a", "2");
    cache.invalidate("a");
    expect((await get("a")).value).toBe("2");
  });

  it("serves the last value if a read hangs, and caches its later result", async () => {
    const { get, store, cache, hold, time } = setUp();
    store.set("a", "1");
    await get("a");
    cache.invalidate("a");
    store.set("a", "2");
    const release = hold();
    const cached = await get("a");
    expect([cached.value, cached.isCurrent(time.now), cached.lastError]).toEqual([
      "1",
      false,
      new Error("no response within 200 ms"),
    ]);
    await expect(get("b")).rejects.toThrow("no response within 200 ms");
    release();
    await until(() => cache.peek("a")?.value === "2", "the result is cached");
  });

  it("serves the last value instead of invalid data only if configured", async () => {
    for (const staleIfInvalid of [true, false]) {
      const { get, store, cache, fail } = setUp({ staleIfInvalid });
      store.set("a", "1");
      await get("a");
      cache.invalidate("a");
      fail(new StoreDataInvalid("mend it"));
      if (staleIfInvalid) expect((await get("a")).value).toBe("1");
      else await expect(get("a")).rejects.toThrow("mend it");
    }
  });

  it("does not replace a newer read by an older one", async () => {
    const { cache, time, feed } = setUp();
    feed.live = false;
    const slow = Promise.withResolvers<void>();
    const older = cache.get("a", async () => {
      await slow.promise;
      return uncachedRead("older", time.now);
    });
    cache.invalidate("a");
    time.now += 10;
    await cache.get("a", async () => uncachedRead("newer", time.now));
    slow.resolve();
    expect((await older).value).toBe("older");
    feed.live = true;
    expect((await cache.get("a", () => expect.unreachable())).value).toBe("newer");
  });
});

describe("the counters of a near cache", () => {
  it("counts each lookup once by its result, and evictions", async () => {
    const { get, cache, store, fail, time, feed } = setUp({ capacity: 2 });
    for (const key of ["a", "b", "c"]) store.set(key, "1");
    await get("a");
    await get("a");
    expect(cache.counts).toEqual({ hits: 1, misses: 1, stale: 0, failures: 0, evictions: 0 });
    await get("b");
    await get("c");
    await get("nothing");
    expect(cache.counts).toEqual({ hits: 1, misses: 4, stale: 0, failures: 0, evictions: 1 });
    expect(cache.size).toBe(3);
    fail(new Error("away"));
    feed.live = false;
    feed.proven.set(1, time.now);
    await get("c");
    await get("c");
    await expect(get("d")).rejects.toThrow("away");
    expect(cache.counts).toEqual({ hits: 1, misses: 4, stale: 2, failures: 1, evictions: 1 });
  });

  it("peeks without a read, a use or a count", async () => {
    const { get, cache, store, reads, time } = setUp({ capacity: 2 });
    for (const key of ["a", "b", "c"]) store.set(key, "1");
    expect(cache.peek("a")).toBeUndefined();
    await get("a");
    time.now += 100;
    await get("b");
    const { hits } = cache.counts;
    expect(cache.peek("a")).toMatchObject({ value: "1", since: time.now - 100 });
    expect([cache.counts.hits, reads]).toEqual([hits, ["a", "b"]]);
    await get("c");
    expect(cache.peek("a")).toBeUndefined();
  });

  it("returns since when a value is cached, even if it was renewed", async () => {
    const { get, cache, store, time } = setUp();
    store.set("a", "1");
    await get("a");
    const first = time.now;
    time.now += 500;
    cache.invalidate("a");
    await get("a");
    expect([cache.peek("a")?.since, cache.peek("a")?.verifiedAt(time.now)]).toEqual([first, time.now]);
  });
});
