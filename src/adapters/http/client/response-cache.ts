import { LRUCache } from "lru-cache";
import type { CountUsage } from "../../../application/usage/count-usage.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { HttpCounters } from "../operations/http-counters.ts";
import { type ClientResponse, type PreparedResponse, responseOf, unmarked } from "./prepared-response.ts";
import { rawStaleMarks } from "./stale-marks.ts";

/** Average size of an entry with its key, in bytes. Larger entries reduce how many fit. */
const usualBytes = 1_000;

/**
 * Response cache: prepared responses, each valid while every read it depends on is current. A hit needs no evaluation
 * and no store read. Keys contain digests of credentials: no token is stored.
 */
export class ResponseCache {
  readonly #responses: LRUCache<string, PreparedResponse>;
  readonly #now: () => Instant;
  readonly #evaluations: HttpCounters["evaluations"];
  readonly #usage: CountUsage;

  /** Caches at most `capacity` responses, and fewer if they are large. */
  constructor(capacity: number, now: () => Instant, counters: HttpCounters, usage: CountUsage) {
    this.#now = now;
    this.#evaluations = counters.evaluations;
    this.#usage = usage;
    this.#responses = new LRUCache({
      max: capacity,
      maxSize: capacity * usualBytes,
      sizeCalculation: ({ written }, key) => written.body.length + key.length,
    });
  }

  /**
   * The cached response for a key and the conditions of a request; `undefined` on a miss. While a store is unavailable,
   * the last response, marked with its present age.
   */
  find(key: string, ifNoneMatch: string | undefined): ClientResponse | undefined {
    // `peek` leaves the order of entries as it is: moving the entry would cost more than all other work here. So the
    // oldest entry is evicted first.
    const prepared = this.#responses.peek(key);
    if (!prepared) return undefined;
    const now = this.#now();
    const { freshness, bodyMark } = prepared;
    if (freshness.isCurrent(now)) {
      if (bodyMark === "stale") return undefined;
      this.#evaluations.cached += 1;
      this.#usage.count(prepared.tally);
      return responseOf(prepared, ifNoneMatch, unmarked);
    }
    const verifiedAt = bodyMark === "fresh" ? undefined : freshness.servedStaleAt(now);
    if (verifiedAt === undefined) return undefined;
    this.#evaluations.stale += 1;
    this.#usage.count(prepared.tally);
    return responseOf(prepared, ifNoneMatch, rawStaleMarks(now - verifiedAt));
  }

  /** Caches a response, if it may be sent again: its evaluation is current, or a store is unavailable. */
  keep(key: string, prepared: PreparedResponse): void {
    const now = this.#now();
    const { freshness } = prepared;
    if (freshness.isCurrent(now) || freshness.servedStaleAt(now) !== undefined) this.#responses.set(key, prepared);
  }
}
