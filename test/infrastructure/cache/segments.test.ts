import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import { NearCache } from "../../../src/infrastructure/cache/near-cache.ts";
import { SecondChance } from "../../../src/infrastructure/cache/second-chance.ts";
import { Segments } from "../../../src/infrastructure/cache/segments.ts";

type Value = { isUsed: boolean; size: number };
const value = (size = 1): Value => ({ isUsed: false, size });

describe("a second-chance cache", () => {
  it("evicts the oldest values, but keeps a used one for another round", () => {
    const cache = new SecondChance<Value>({ max: 3 });
    for (const key of ["a", "b", "c"]) cache.set(key, value());
    cache.get("a");
    cache.set("d", value());
    expect([...cache.keys()].sort()).toEqual(["a", "c", "d"]);
    for (const key of ["e", "f", "g"]) cache.set(key, value());
    expect([...cache.keys()].sort()).toEqual(["e", "f", "g"]);
  });

  it("does not count a peek as a use", () => {
    const cache = new SecondChance<Value>({ max: 1 });
    cache.set("a", value());
    cache.peek("a");
    cache.set("b", value());
    expect([...cache.keys()]).toEqual(["b"]);
  });

  it("bounds the sum of sizes, and reports removed values", () => {
    const left: [string, boolean][] = [];
    const cache = new SecondChance<Value>({
      max: 10,
      sizeOf: ({ size }) => size,
      removed: (_, key, isEvicted) => void left.push([key, isEvicted]),
    });
    cache.set("a", value(4));
    cache.set("b", value(4));
    cache.set("b", value(5));
    cache.set("c", value(6));
    cache.set("too large", value(11));
    cache.delete("c");
    expect(left).toEqual([
      ["b", false],
      ["a", true],
      ["b", true],
      ["too large", true],
      ["c", false],
    ]);
    expect(cache.size).toBe(0);
  });

  it("evicts in order while values are used, replaced and deleted", () => {
    const cache = new SecondChance<Value>({ max: 100 });
    for (let number = 0; number < 100_000; number++) {
      cache.set(`${number}`, value());
      cache.get("0");
      if (number % 7 === 0) cache.delete(`${number - 3}`);
      if (number % 5 === 0) cache.set(`${number - 50}`, value());
    }
    expect(cache.peek("0")).toBeDefined();
    expect(cache.size).toBe(100);
  });
});

describe("a segmented cache", () => {
  const setUp = () => {
    const cache = new Segments<Value>({ max: 800 });
    for (let number = 0; number < 800; number++) cache.set(`known ${number}`, value(), false);
    return cache;
  };

  it("keeps all known keys and the often used ones of others, whatever else is requested once", () => {
    const cache = setUp();
    for (let number = 0; number < 10; number++) cache.set(`often ${number}`, value(), true);
    for (let number = 0; number < 10_000; number++) {
      if (number % 10 === 0) for (let often = 0; often < 10; often++) cache.get(`often ${often}`);
      if (!cache.get(`once ${number}`)) cache.set(`once ${number}`, value(), true);
    }
    for (let number = 0; number < 800; number++) expect(cache.peek(`known ${number}`)).toBeDefined();
    for (let number = 0; number < 10; number++) expect(cache.peek(`often ${number}`)).toBeDefined();
    expect(cache.size).toBeLessThanOrEqual(900);
  });

  it("moves a key between its segments", () => {
    const cache = setUp();
    cache.set("a", value(), true);
    cache.set("a", value(), false);
    expect([...cache.keys()].filter((key) => key === "a")).toHaveLength(1);
    cache.set("a", value(), true);
    expect([...cache.keys()].filter((key) => key === "a")).toHaveLength(1);
  });
});

describe("the memory of a near cache", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const used = () => {
    gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const feed = {
    epoch: 1,
    generation: 0,
    isLive: () => true,
    syncedUntil: () => 0,
    notify: () => {},
    subscribe: () => {},
  };

  // Fractional times would take 64 bytes more, an LRU list 24, a separate set of keys 40.
  it("grows by the entries: about 200 bytes each, with the key", async () => {
    const before = used();
    const cache = new NearCache<number>({
      isArbitrary: () => false,
      isSame: Object.is,
      staleIfInvalid: true,
      invalidations: feed,
      limits: { capacity: 1_000_000, expiryMs: 60_000, maxStaleMs: 60_000 },
      now: Date.now,
    });
    expect(used() - before).toBeLessThan(1_000_000);
    const entries = 50_000;
    for (let number = 0; number < entries; number++) {
      await cache.get(`features:user:${number}`, async () => uncachedRead(number, Date.now()));
    }
    expect(cache.size).toBe(entries);
    expect((used() - before) / entries).toBeLessThan(240);
  });
});
