/** Durations in buckets, as plain numbers, so that recording one costs a few additions. */
export class Durations {
  /** Number of durations, by bucket. The last bucket has no upper bound. */
  readonly counts: Float64Array;
  /** Sum in seconds. */
  sum = 0;
  readonly #bounds: readonly number[];

  /** `bounds`: upper bounds of the buckets, in seconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  record(seconds: number): void {
    let bucket = 0;
    while (seconds > (this.#bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += seconds;
  }

  clear(): void {
    this.counts.fill(0);
    this.sum = 0;
  }
}

/** Upper bounds of the buckets for the durations of Redis commands, in seconds. */
export const commandBounds = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5] as const;
