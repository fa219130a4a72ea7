import type { CountUsage, Tally } from "../../../application/usage/count-usage.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { Segments } from "../../../infrastructure/cache/segments.ts";
import type { HttpCounters } from "../operations/http-counters.ts";
import { type ClientResponse, type PreparedResponse, responseOf, unmarked } from "./prepared-response.ts";
import { rawStaleMarks } from "./stale-marks.ts";

/** Average size of an entry with its key, in bytes. Larger entries reduce how many fit. */
const usualBytes = 1_000;

type CachedResponse = PreparedResponse & { readonly tally: Tally };

const isWorthIt = (prepared: PreparedResponse): prepared is CachedResponse => prepared.tally !== undefined;

/**
 * Response cache: prepared responses, each valid while every read it depends on is current. A hit needs no evaluation
 * and no store read. Keys contain digests of credentials: no token is stored.
 */
export class ResponseCache {
  readonly #responses: Segments<CachedResponse>;
  readonly #now: () => Instant;
  readonly #evaluations: HttpCounters["evaluations"];
  readonly #usage: CountUsage;

  /** Caches at most `capacity` responses of usual size to known clients, and an eighth as many to others. */
  constructor(capacity: number, now: () => Instant, counters: HttpCounters, usage: CountUsage) {
    this.#now = now;
    this.#evaluations = counters.evaluations;
    this.#usage = usage;
    this.#responses = new Segments({
      max: capacity * usualBytes,
      sizeOf: ({ written }, key) => Math.max(usualBytes, written.body.length + key.length),
    });
  }

  /**
   * The cached response for a key and the conditions of a request; `undefined` on a miss. While a store is unavailable,
   * the last response, marked with its present age.
   */
  find(key: string, ifNoneMatch: string | undefined): ClientResponse | undefined {
    const prepared = this.#responses.get(key);
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

  /** Caches a response if it is worth it. `isArbitrary`: anyone can make up requests that differ as this does. */
  keep(key: string, prepared: PreparedResponse, isArbitrary: boolean): void {
    if (isWorthIt(prepared)) this.#responses.set(key, prepared, isArbitrary);
  }
}
