import { hash } from "node:crypto";
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  fullJitterGenerator,
  handleWhen,
  retry,
  wrap,
} from "cockatiel";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { Breaker, Validators } from "../../../domain/feeds/item.ts";
import type { Reading, RemoteFeed } from "../../../domain/feeds/remote-feed.ts";
import { type DocumentLocation, type Fetched, FetchFailed, fetchDocument } from "../_polled/fetch-document.ts";
import type { Mapping } from "./mapping.ts";
import { readInThread } from "./read-in-thread.ts";
import type { Format } from "./read-items.ts";

/** Location and format of a feed's document. */
export type FeedDocument = DocumentLocation & { readonly format: Format | undefined; readonly mapping: Mapping };

const maxAttempts = 3;
/** Maximum pauses between tries, in milliseconds. The actual pause is random (full jitter). */
const pausesMs = [500, 1_000];
const backoff = new ExponentialBackoff({ initialDelay: 500, maxDelay: 10_000, generator: fullJitterGenerator });
const failuresToOpen = 5;
const halfOpenAfterMs = 30_000;

/** A feed over HTTP. A circuit breaker opens after 5 consecutive failures; 30 s later, it allows one trial request. */
export class HttpFeed implements RemoteFeed {
  readonly #document: FeedDocument;
  /** Digest of the location, format and mapping. If it changes, the document must be read again. */
  readonly #digest: string;
  #breaker: CircuitBreakerPolicy;

  constructor(document: FeedDocument) {
    this.#document = document;
    const { url, format, mapping } = document;
    this.#digest = hash("sha256", JSON.stringify([url.href, format, mapping]), "base64url");
    this.#breaker = breakerIn();
  }

  get maxFetchMs(): number {
    return maxAttempts * this.#document.timeoutMs + pausesMs.reduce((sum, pause) => sum + pause);
  }

  get pausedUntil(): Instant | null {
    if (this.#breaker.state !== CircuitState.Open) return null;
    return (this.#breaker.toJSON() as SavedBreaker).ownState.openedAt + halfOpenAfterMs;
  }

  pause(until: Instant): void {
    if (until <= (this.pausedUntil ?? Number.NEGATIVE_INFINITY)) return;
    const openedAt = until - halfOpenAfterMs;
    const ownState = { value: CircuitState.Open, openedAt, attemptNo: 1 } as const;
    this.#breaker = breakerIn({ ownState, breakerState: failuresToOpen });
  }

  get breaker(): Breaker {
    const { state } = this.#breaker;
    return state === CircuitState.Closed ? "closed" : state === CircuitState.HalfOpen ? "half-open" : "open";
  }

  async read(validators: Validators | null, signal: AbortSignal): Promise<Reading | undefined> {
    const fetched = await this.#fetch(validators?.of === this.#digest ? validators : null, signal);
    if (!fetched) return undefined;
    const { chunks, contentType, etag, lastModified } = fetched;
    const { format, mapping } = this.#document;
    const reading = await readInThread({ document: { chunks, contentType, format }, mapping }, signal);
    return { ...reading, validators: { of: this.#digest, etag, lastModified } };
  }

  async #fetch(validators: Validators | null, signal: AbortSignal): Promise<Fetched | undefined> {
    const again = retry(
      handleWhen((error) => error instanceof FetchFailed && error.mayPass),
      { maxAttempts: maxAttempts - 1, backoff },
    );
    try {
      return await wrap(again, this.#breaker).execute(() => fetchDocument(this.#document, validators, signal), signal);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw new FetchFailed("the server failed too often; polling is paused for up to 30 s", true);
    }
  }
}

/** The state of an open circuit breaker, as cockatiel serializes it. */
type SavedBreaker = {
  readonly ownState: { readonly value: CircuitState.Open; readonly openedAt: number; readonly attemptNo: number };
  readonly breakerState: number;
};

const breakerIn = (initialState?: SavedBreaker): CircuitBreakerPolicy =>
  circuitBreaker(
    handleWhen((error) => error instanceof FetchFailed),
    { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(failuresToOpen), initialState },
  );
