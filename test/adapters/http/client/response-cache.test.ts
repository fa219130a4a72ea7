import { describe, expect, it } from "vitest";
import { writtenText } from "../../../../src/adapters/http/client/features-body.ts";
import { type PreparedResponse, unmarked } from "../../../../src/adapters/http/client/prepared-response.ts";
import { ResponseCache } from "../../../../src/adapters/http/client/response-cache.ts";
import { rawStaleMarks } from "../../../../src/adapters/http/client/stale-marks.ts";
import { HttpCounters } from "../../../../src/adapters/http/operations/http-counters.ts";
import { Freshness } from "../../../../src/application/evaluation/freshness.ts";
import { CountUsage } from "../../../../src/application/usage/count-usage.ts";
import type { CachedRead } from "../../../../src/domain/evaluation/cached-read.ts";

/** A cache, and a read with a state that the test sets. */
function setUp(capacity = 10) {
  const state = { now: 1_000_000, isCurrent: true, isServedStale: false };
  const read: CachedRead<string> = {
    value: "a",
    get lastError() {
      return state.isCurrent ? undefined : new Error("away");
    },
    validUntil: Number.POSITIVE_INFINITY,
    isCurrent: () => state.isCurrent,
    isServedStale: () => state.isServedStale,
    verifiedAt: () => 1_000_000,
  };
  const counters = new HttpCounters();
  const usage = new CountUsage(async () => undefined);
  const cache = new ResponseCache(capacity, () => state.now, counters, usage);
  const prepared = (text: string, bodyMark: PreparedResponse["bodyMark"] = "none"): PreparedResponse => ({
    written: writtenText(text),
    vary: "Authorization",
    changesAt: undefined,
    freshness: new Freshness([read], Number.POSITIVE_INFINITY),
    marks: unmarked,
    bodyMark,
    tally: usage.tallyOf(text, () => ({ flags: [], omitsOff: false })),
    isUsed: false,
  });
  return { state, cache, counters, prepared };
}

/** The value of a raw header. */
const header = (headers: readonly string[] | undefined, name: string): string | undefined =>
  headers?.[headers.indexOf(name) + 1];

describe("the response cache", () => {
  it("returns the response of a current evaluation without marks, and 304 to its ETag", () => {
    const { cache, prepared } = setUp();
    const response = prepared("{}");
    cache.keep("a", response, false);
    expect(cache.find("a", undefined)).toMatchObject({ status: 200, body: "{}" });
    expect(cache.find("a", undefined)?.headers).not.toContain("Age");
    for (const listed of [response.written.entityTag, `"other", W/${response.written.entityTag}`, "*"]) {
      expect(cache.find("a", listed)).toMatchObject({ status: 304, body: null });
    }
    expect(cache.find("b", undefined)).toBeUndefined();
  });

  it("returns the last response with its present age while a store is unavailable", () => {
    const { state, cache, counters, prepared } = setUp();
    cache.keep("a", prepared("{}"), false);
    Object.assign(state, { isCurrent: false, isServedStale: true });
    for (const [afterMs, age] of [
      [500, "1"],
      [1_001, "2"],
      [3_600_000, "3600"],
    ] as const) {
      state.now = 1_000_000 + afterMs;
      const { status, headers } = cache.find("a", undefined) ?? {};
      expect([status, header(headers, "Age"), header(headers, "Cache-Status")]).toEqual([
        200,
        age,
        `tidegate; hit; ttl=-${age}; detail="stale"`,
      ]);
    }
    expect(counters.evaluations).toMatchObject({ cached: 0, stale: 3 });
    state.isServedStale = false;
    expect(cache.find("a", undefined)).toBeUndefined();
    state.isCurrent = true;
    expect(cache.find("a", undefined)?.headers).not.toContain("Age");
  });

  it("returns a body with its freshness only while that is true", () => {
    const { state, cache, prepared } = setUp();
    cache.keep("fresh", prepared("1", "fresh"), false);
    Object.assign(state, { isCurrent: false, isServedStale: true });
    cache.keep("stale", prepared("2", "stale"), false);
    expect(cache.find("fresh", undefined)).toBeUndefined();
    expect(cache.find("stale", undefined)?.body).toBe("2");
    state.isCurrent = true;
    expect(cache.find("fresh", undefined)?.body).toBe("1");
    expect(cache.find("stale", undefined)).toBeUndefined();
  });

  it("shares the marks of all stale responses of one age", () => {
    expect(rawStaleMarks(1_500)).toBe(rawStaleMarks(1_900));
    expect(rawStaleMarks(2_100)).toEqual(["Cache-Status", 'tidegate; hit; ttl=-3; detail="stale"', "Age", "3"]);
  });
});
