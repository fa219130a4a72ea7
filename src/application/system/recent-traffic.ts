import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** Counters of the requests that a configuration has served. */
export type Traffic = {
  readonly requests: number;
  /** Evaluations for clients: all, and those from the cache. */
  readonly evaluations: number;
  readonly cached: number;
  /** Durations of requests of clients, by bucket. */
  readonly durations: readonly number[];
  /** Open streams. Not a counter. */
  readonly streams: number;
};

/** The traffic of one slot of time. `streams` is their number at its end. */
export type TrafficPoint = Traffic & { readonly start: Instant };

/** Length of a slot, in milliseconds. Slots of all workers begin at the same instants. */
export const slotMs = 15_000;
/** Number of slots that are kept: an hour, and the present one. */
const maxPoints = 241;

type Served = { readonly read: () => Traffic; last: Traffic };

/** The traffic of the last hour, in memory. */
export class RecentTraffic {
  readonly #now: () => Instant;
  readonly #served = new Set<Served>();
  #points: TrafficPoint[] = [];
  #slot: Instant;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(now: () => Instant) {
    this.#now = now;
    this.#slot = slotOf(now());
  }

  /** Includes the traffic of a configuration until disposal. */
  add(read: () => Traffic): Disposable {
    const served = { read, last: read() };
    this.#served.add(served);
    if (!this.#timer) this.#plan();
    return {
      [Symbol.dispose]: () => {
        this.#sample();
        this.#served.delete(served);
        if (this.#served.size > 0) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  /** The slots of the last hour, the oldest first. The last one is the present slot. */
  points(): readonly TrafficPoint[] {
    this.#sample();
    return this.#points;
  }

  #sample(): void {
    const each = [...this.#served].map((served) => {
      const traffic = served.read();
      const since = difference(traffic, served.last);
      served.last = traffic;
      return since;
    });
    const point = sumOf(each, this.#slot);
    const last = this.#points.at(-1);
    if (last?.start === point.start)
      this.#points[this.#points.length - 1] = sumOf([{ ...last, streams: 0 }, point], point.start);
    else this.#points = [...this.#points, point].slice(-maxPoints);
    this.#slot = slotOf(this.#now());
  }

  #plan(): void {
    this.#timer = setTimeout(
      () => {
        this.#sample();
        this.#plan();
      },
      slotMs - (this.#now() % slotMs),
    ).unref();
  }
}

const slotOf = (at: Instant): Instant => at - (at % slotMs);

/** Counters that were reset since then have no difference. */
const difference = (traffic: Traffic, before: Traffic): Traffic => ({
  requests: Math.max(0, traffic.requests - before.requests),
  evaluations: Math.max(0, traffic.evaluations - before.evaluations),
  cached: Math.max(0, traffic.cached - before.cached),
  durations: traffic.durations.map((count, index) => Math.max(0, count - (before.durations[index] ?? 0))),
  streams: traffic.streams,
});

/** The sum of traffic, as a point. */
export function sumOf(all: readonly Traffic[], start: Instant): TrafficPoint {
  const total = (of: (traffic: Traffic) => number) => all.reduce((sum, traffic) => sum + of(traffic), 0);
  const buckets = Math.max(0, ...all.map(({ durations }) => durations.length));
  return {
    start,
    requests: total(({ requests }) => requests),
    evaluations: total(({ evaluations }) => evaluations),
    cached: total(({ cached }) => cached),
    durations: Array.from({ length: buckets }, (_, index) => total(({ durations }) => durations[index] ?? 0)),
    streams: total(({ streams }) => streams),
  };
}

/** The points of several workers, added up by slot. */
export function addUp(workers: readonly (readonly TrafficPoint[])[]): readonly TrafficPoint[] {
  const bySlot = Map.groupBy(workers.flat(), ({ start }) => start);
  return [...bySlot]
    .toSorted(([one], [other]) => one - other)
    .map(([start, points]) => sumOf(points, start))
    .slice(-maxPoints);
}

/**
 * The duration below which a part of the requests is, in seconds, estimated by linear interpolation within a bucket.
 * `bounds` are the upper bounds of the buckets. `undefined` without requests.
 */
export function quantile(counts: readonly number[], bounds: readonly number[], part: number): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= all * part) {
      const from = bounds[index - 1] ?? 0;
      const to = bounds[index] ?? from;
      return from + (to - from) * ((all * part - below) / count);
    }
    below += count;
  }
  return bounds.at(-1);
}
