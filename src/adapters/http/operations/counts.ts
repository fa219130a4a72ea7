/** Counters per route, indexed by status. */
const statuses = 600;

/** Route label of requests that match no route. */
export const noRoute = "unmatched";

/** HTTP counters since the start. Plain numbers, so that each call costs one addition. */
export class Counts {
  /** Responses of `GET /features`. */
  readonly answers = { remembered: 0, fresh: 0, stale: 0, incomplete: 0 };
  readonly #routes = new Map<string, Float64Array>();

  /** Counts a response of a route. */
  count(route: string, status: number): void {
    let counts = this.#routes.get(route);
    if (!counts) {
      counts = new Float64Array(statuses);
      this.#routes.set(route, counts);
    }
    counts[status] = (counts[status] ?? 0) + 1;
  }

  /** Resets all counters. */
  clear(): void {
    this.#routes.clear();
    Object.assign(this.answers, { remembered: 0, fresh: 0, stale: 0, incomplete: 0 });
  }

  /** Number of responses by route and status. */
  *calls(): Iterable<{ readonly route: string; readonly status: number; readonly count: number }> {
    for (const [route, counts] of this.#routes) {
      for (const [status, count] of counts.entries()) if (count > 0) yield { route, status, count };
    }
  }
}
