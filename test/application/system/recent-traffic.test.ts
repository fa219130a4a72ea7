import { describe, expect, it, vi } from "vitest";
import { addUp, quantile, RecentTraffic, type Traffic } from "../../../src/application/system/recent-traffic.ts";

const slot = 15_000;
const start = 1_700_000_010_000;

/** The recent traffic of a configuration whose counters the test sets. */
function watching() {
  const state = { now: start, requests: 0, streams: 0 };
  const read = (): Traffic => ({
    requests: state.requests,
    evaluations: state.requests,
    cached: 0,
    durations: [state.requests, 0],
    streams: state.streams,
  });
  const recent = new RecentTraffic(() => state.now);
  return { state, recent, added: recent.add(read), read };
}

const requestsOf = (recent: RecentTraffic) =>
  recent.points().map((point) => [(point.start - start) / slot, point.requests]);

describe("RecentTraffic", () => {
  it("has the requests of each slot, and the streams at its end", () => {
    const { state, recent, added } = watching();
    state.requests = 3;
    state.streams = 7;
    expect(requestsOf(recent)).toEqual([[0, 3]]);
    state.now += slot;
    state.requests = 5;
    expect(requestsOf(recent)).toEqual([[0, 5]]);
    state.requests = 6;
    state.streams = 2;
    expect(requestsOf(recent)).toEqual([
      [0, 5],
      [1, 1],
    ]);
    expect(recent.points().map(({ streams }) => streams)).toEqual([7, 2]);
    added[Symbol.dispose]();
  });

  it("samples in the background, for an hour at most", () => {
    vi.useFakeTimers({ now: start });
    try {
      let requests = 0;
      const recent = new RecentTraffic(Date.now);
      const read = () => ({ requests, evaluations: 0, cached: 0, durations: [], streams: 0 });
      using _ = recent.add(read);
      for (let passed = 0; passed < 300; passed++) {
        requests += 2;
        vi.advanceTimersByTime(slot);
      }
      const points = recent.points();
      expect(points).toHaveLength(241);
      expect(points.slice(0, -1).every((point) => point.requests === 2)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("continues when another configuration takes over", () => {
    const { state, recent, added } = watching();
    state.requests = 3;
    let others = 0;
    using _ = recent.add(() => ({ requests: others, evaluations: 0, cached: 0, durations: [], streams: 0 }));
    added[Symbol.dispose]();
    others = 4;
    state.requests = 100;
    expect(requestsOf(recent)).toEqual([[0, 7]]);
  });

  it("ignores a reset of the counters", () => {
    const { state, recent, added } = watching();
    state.requests = 300;
    recent.points();
    state.requests = 0;
    expect(requestsOf(recent)).toEqual([[0, 300]]);
    added[Symbol.dispose]();
  });

  it("adds up workers by slot", () => {
    const point = (at: number, requests: number) => ({
      start: at,
      requests,
      evaluations: 0,
      cached: 0,
      durations: [requests],
      streams: 1,
    });
    expect(addUp([[point(1, 2), point(2, 3)], [point(2, 4)]])).toEqual([point(1, 2), { ...point(2, 7), streams: 2 }]);
  });
});

describe("a quantile", () => {
  it.each([
    [[0, 0, 0], 0.99, undefined],
    [[100, 0, 0], 0.5, 0.5],
    [[50, 50, 0], 0.75, 1.5],
    [[0, 0, 10], 0.5, 2],
    [[99, 0, 1], 0.99, 1],
  ])("of %j at %d is %d", (counts, part, expected) => {
    expect(quantile(counts, [1, 2], part)).toBe(expected);
  });
});
