import type { Instant } from "../evaluation/evaluation-context.ts";
import type { Breaker, Item, ItemFault, Validators } from "./item.ts";

/** The content of a feed document. */
export type Reading = {
  /** In pages of some hundred items, read on demand. */
  readonly items: AsyncIterable<readonly Item[]>;
  /** The number of invalid items, and the faults of the first of them. */
  readonly invalidCount: number;
  readonly faults: readonly ItemFault[];
  /** The ids of the invalid items, if they can be read. */
  readonly invalidIds: readonly string[];
  readonly validators: Validators;
};

/** Remote feed: a document of a partner that lists items. */
export type RemoteFeed = {
  readonly breaker: Breaker;
  /** The time until which an open breaker sends no requests; `null` if the breaker is not open. */
  readonly pausedUntil: Instant | null;
  /** Maximum duration of a fetch with all its retries and pauses, in milliseconds. */
  readonly maxFetchMs: number;
  /** Opens the breaker until an instant that another process found. The first read after that is tried once. */
  pause(until: Instant): void;
  /**
   * Fetches the document; `undefined` if it has not changed since the validators. Retries some times, unless it failed
   * too often of late. Rejects if the document cannot be read whole; the message contains no secret. The signal aborts
   * the fetch. Nothing stays open after the last item.
   */
  read(validators: Validators | null, signal: AbortSignal): Promise<Reading | undefined>;
};

/** A feed to poll. */
export type FeedToPoll = {
  readonly feed: RemoteFeed;
  /** The time between polls, in milliseconds. */
  readonly everyMs: number;
  /** Maximum number of items that are stored. Further ones are rejected. */
  readonly maxItems: number;
};
