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
  /**
   * Reads the document; `undefined` where it is still the one that the validators are of. Rejects, with a sentence that holds no secret,
   * where it cannot be had or read whole; until then it tries again some times, unless that has failed too often of late. All is over once the signal
   * aborts, and what is read from when its items have been gone through.
   */
  read(known: Validators | null, signal: AbortSignal): Promise<Reading | undefined>;
}
