/** The statuses there are, as places in a list of numbers. */
const statuses = 600;

/** The route of calls that are at none. */
export const noRoute = "unmatched";

/** What HTTP has answered since the start: plain numbers, so that a call costs an addition and no more. */
export class Counts {
  /** Answers to `GET /features`. */
  readonly answers = { remembered: 0, fresh: 0, stale: 0, incomplete: 0 };
  readonly #routes = new Map<string, Float64Array>();

  /** One more call of a route was answered. */
  count(route: string, status: number): void {
    let counts = this.#routes.get(route);
    if (!counts) {
      counts = new Float64Array(statuses);
      this.#routes.set(route, counts);
    }
    counts[status] = (counts[status] ?? 0) + 1;
  }

  /** Begins anew. */
  clear(): void {
    this.#routes.clear();
    Object.assign(this.answers, { remembered: 0, fresh: 0, stale: 0, incomplete: 0 });
  }

  /** How many calls of each route were answered, by status. */
  *calls(): Iterable<{ readonly route: string; readonly status: number; readonly count: number }> {
    for (const [route, counts] of this.#routes) {
      for (const [status, count] of counts.entries()) if (count > 0) yield { route, status, count };
    }
  }
}
