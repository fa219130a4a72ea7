import type { KnownItem, PollState } from "./item.ts";
import type { Timeline } from "./timeline.ts";

/** What is known of a feed's items, as it is kept for a process that starts while the store is away. */
export type ItemsKept = {
  readonly items: readonly KnownItem[];
  /** `undefined` where nobody has tried. */
  readonly state: PollState | undefined;
  /** Whether something of it was read while the store was away, so that the store does not have it. */
  readonly isAhead: boolean;
};

/** What a source has of a partner's items, and of how they are read. */
export interface FeedItems {
  /** The configured name of the connection whose store keeps them. */
  readonly connection: string;
  /** Grows with each change of what is known. */
  readonly generation: number;
  /** What is known, as of some seconds ago; read from the store where that was not done yet. Rejects where it cannot be. */
  known(): Timeline | Promise<Timeline>;
  /** How reading does, as far as is known here; `undefined` where nobody has tried. */
  readonly state: PollState | undefined;
  /** How many are known; 0 before they were read from the store. */
  readonly size: number;
  /** The longest that fetching the document takes, with all tries, in milliseconds. */
  readonly longestFetchMs: number;
  /**
   * Reads the partner's document now, also where another process just has. Where one reads here already, its outcome is told. While the
   * store does not answer, what was read is kept in memory. Rejects where this ends meanwhile.
   */
  poll(): Promise<PollState>;
  /** All that is known here; `undefined` before anything was read. */
  kept(): ItemsKept | undefined;
  /** Takes back what an earlier process kept, until the store answers. Answers whether it did: not where something was read already. */
  restore(kept: ItemsKept): boolean;
}
