import { Durations } from "../../../infrastructure/metrics/durations.ts";
import { methods } from "../server/methods.ts";

/** Route label of requests that match no route. */
export const noRoute = "unmatched";

/** Method label of requests whose method is unknown, as in OpenTelemetry's conventions. */
const otherMethod = "_OTHER";
const knownMethods = new Set([...methods, "HEAD", "OPTIONS"]);

/** Upper bounds of the duration buckets, in seconds. A cached response takes less than the first. */
export const durationBuckets = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

/** More than the largest status. */
const statuses = 600;

type Labels = { readonly route: string; readonly method: string };

/** Counters of the requests of one route and method. Plain numbers, so that a request costs a few additions. */
export class RouteCounters {
  readonly labels: Labels;
  /** Number of responses, by status. */
  readonly responses = new Float64Array(statuses);
  /** Durations of the measured responses. */
  readonly durations = new Durations(durationBuckets);

  constructor(labels: Labels) {
    this.labels = labels;
  }

  /** Counts a response without a duration. */
  count(status: number): void {
    this.responses[status] = (this.responses[status] ?? 0) + 1;
  }

  /** Counts and measures a response. `start` is the value of `performance.now()` when the request arrived. */
  measure(status: number, start: number): void {
    this.count(status);
    this.durations.record((performance.now() - start) / 1_000);
  }

  clear(): void {
    this.responses.fill(0);
    this.durations.clear();
  }
}

/** HTTP counters since the start. */
export class HttpCounters {
  /** Number of responses to `GET /features`, by result. */
  readonly evaluations = { cached: 0, fresh: 0, stale: 0, partial: 0 };
  readonly #routes = new Map<string, RouteCounters>();

  /** The counters of a route pattern, or of {@link noRoute}, and a method. */
  of(route: string, method: string | undefined): RouteCounters {
    const label = method !== undefined && knownMethods.has(method) ? method : otherMethod;
    const key = `${label} ${route}`;
    let counters = this.#routes.get(key);
    if (!counters) {
      counters = new RouteCounters({ route, method: label });
      this.#routes.set(key, counters);
    }
    return counters;
  }

  /** Resets all counters. */
  clear(): void {
    for (const counters of this.#routes.values()) counters.clear();
    Object.assign(this.evaluations, { cached: 0, fresh: 0, stale: 0, partial: 0 });
  }

  /** Number of responses by route, method and status. */
  *requests(): Iterable<{ readonly labels: Labels & { readonly status: number }; readonly value: number }> {
    for (const { labels, responses } of this.#routes.values()) {
      for (const [status, value] of responses.entries()) if (value > 0) yield { labels: { ...labels, status }, value };
    }
  }

  /** Durations by route and method. */
  *durations(): Iterable<{ readonly labels: Labels; readonly counts: Float64Array; readonly sum: number }> {
    for (const { labels, durations } of this.#routes.values()) {
      const { counts, sum } = durations;
      if (counts.some((count) => count > 0)) yield { labels, counts, sum };
    }
  }
}
