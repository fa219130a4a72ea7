import type { Instant } from "../domain/evaluation-context.ts";
import type { Held } from "../domain/held.ts";

/** The reads that an answer was made from, and what follows for the answer. It holds on to nothing else. */
export class Provenance {
  readonly #from: readonly Held<unknown>[];
  readonly #validUntil: Instant;

  constructor(from: readonly Held<unknown>[], validUntil: Instant) {
    this.#from = from;
    this.#validUntil = validUntil;
  }

  /** Whether asking again would provably give the same, but for changes within the freshness bound. */
  isCurrent(now: Instant): boolean {
    if (now >= this.#validUntil) return false;
    for (const held of this.#from) if (!held.isCurrent(now)) return false;
    return true;
  }

  /** The latest instant for which all of the answer is known to be true. */
  asOf(now: Instant): Instant {
    return Math.min(now, ...this.#from.map((held) => held.asOf(now)));
  }
}
