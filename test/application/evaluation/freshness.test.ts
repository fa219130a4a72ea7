import { describe, expect, it, vi } from "vitest";
import { Freshness } from "../../../src/application/evaluation/freshness.ts";
import { type CachedRead, uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { InvalidationFeed } from "../../../src/domain/evaluation/invalidation-feed.ts";

/** A feed and a read that the test controls; `looks` counts the checks of the read. */
function setUp(validUntil = Number.POSITIVE_INFINITY) {
  const feed = {
    epoch: 1,
    generation: 1,
    isLive: () => state.live,
    syncedUntil: () => 0,
    notify: () => {},
    subscribe: () => {},
  };
  const state = { live: true, current: true, looks: 0 };
  const readyRead: CachedRead<string> = {
    value: "a",
    lastError: undefined,
    validUntil,
    invalidations: feed satisfies InvalidationFeed,
    isCurrent: (now) => {
      state.looks += 1;
      return state.current && state.live && now < validUntil;
    },
    verifiedAt: () => 5,
  };
  return { feed, state, readyRead };
}

describe("the freshness of an evaluation", () => {
  it("is stale past the freshness bound, or immediately if a cached value replaced a failed read", () => {
    const { state, readyRead } = setUp();
    const provenance = new Freshness([readyRead], Number.POSITIVE_INFINITY);
    expect([provenance.isStale(1_005), provenance.isStale(1_006)]).toEqual([false, true]);
    const afterFailure = new Freshness([{ ...readyRead, lastError: new Error("away") }], Number.POSITIVE_INFINITY);
    expect(afterFailure.isStale(6)).toBe(false);
    state.current = false;
    expect(afterFailure.isStale(6)).toBe(true);
  });

  it("checks its reads once per generation of their feed", () => {
    const { feed, state, readyRead } = setUp();
    const provenance = new Freshness([readyRead], Number.POSITIVE_INFINITY);
    expect([provenance.isCurrent(1), provenance.isCurrent(2), state.looks]).toEqual([true, true, 1]);
    feed.generation += 1;
    expect([provenance.isCurrent(3), provenance.isCurrent(4), state.looks]).toEqual([true, true, 2]);
    state.current = false;
    feed.generation += 1;
    expect([provenance.isCurrent(5), provenance.isCurrent(5)]).toEqual([false, false]);
  });

  it("is not current while a feed is not live, even without notifications", () => {
    const { state, readyRead } = setUp();
    const provenance = new Freshness([readyRead], Number.POSITIVE_INFINITY);
    expect(provenance.isCurrent(1)).toBe(true);
    state.live = false;
    expect(provenance.isCurrent(2)).toBe(false);
    state.live = true;
    expect(provenance.isCurrent(3)).toBe(true);
  });

  it("is current until one of its reads, or the result itself, expires", () => {
    const monotonic = vi.spyOn(performance, "now");
    const isCurrentAt = (provenance: Freshness) => (now: number) => {
      monotonic.mockReturnValue(now);
      return provenance.isCurrent(now);
    };
    const first = isCurrentAt(new Freshness([setUp(10).readyRead, setUp(20).readyRead], Number.POSITIVE_INFINITY));
    expect([first(9), first(10)]).toEqual([true, false]);
    const answer = isCurrentAt(new Freshness([setUp(20).readyRead], 10));
    expect([answer(9), answer(10)]).toEqual([true, false]);
    monotonic.mockRestore();
  });

  it("checks a read without a feed each time", () => {
    let current = true;
    const readyRead = { ...uncachedRead("a", 1), isCurrent: () => current };
    const provenance = new Freshness([readyRead], Number.POSITIVE_INFINITY);
    expect(provenance.isCurrent(1)).toBe(true);
    current = false;
    expect(provenance.isCurrent(1)).toBe(false);
  });
});
