import type { Instant } from "../evaluation/evaluation-context.ts";
import type { Breaker, Item, ItemFault, Validators } from "./item.ts";

/** What a partner's document says. */
export type Reading = {
  /** In parts of some hundred, none of which comes before it is asked for. */
  readonly items: AsyncIterable<readonly Item[]>;
  /** How many items cannot be used, and what is wrong with the first of these. */
  readonly invalid: number;
  readonly faults: readonly ItemFault[];
  /** The ids of those that cannot be used, where they can be told. */
  readonly invalidIds: readonly string[];
  readonly validators: Validators;
};

/** Port: a partner's document, which lists items. */
export interface ItemFeed {
  readonly breaker: Breaker;
  /** Until when an open breaker leaves the partner alone; `null` where none is open. */
  readonly leftAloneUntil: Instant | null;
  /** The longest that fetching takes, with all tries and the pauses between them, in milliseconds. */
  readonly longestFetchMs: number;
  /** Opens the breaker until an instant, as another process found it; the first read after that is tried once. */
  leaveAlone(until: Instant): void;
  /**
   * Reads the document; `undefined` where it is still the one that the validators are of. Rejects, with a sentence that holds no secret,
   * where it cannot be had or read whole; until then it tries again some times, unless that has failed too often of late. All is over once the signal
   * aborts, and what is read from when its items have been gone through.
   */
  read(known: Validators | null, signal: AbortSignal): Promise<Reading | undefined>;
}
