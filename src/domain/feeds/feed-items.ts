import type { KnownItem, PollState } from "./item.ts";
import type { Timeline } from "./timeline.ts";

/** Snapshot of a feed's items, for a process that starts while the store is unavailable. */
export type ItemsSnapshot = {
  readonly items: readonly KnownItem[];
  /** `undefined` before the first poll. */
  readonly state: PollState | undefined;
  /** Whether it holds data that the store lacks, read while the store was unavailable. */
  readonly isAhead: boolean;
};

/** Feed items: the items of a feed, and the state of its polling. */
export type FeedItems = {
  /** The configured name of the connection that stores them. */
  readonly connection: string;
  /** Increases with each change of the items. */
  readonly generation: number;
  /** The items, at most some seconds old; read from the store on first use. Rejects if that fails. */
  known(): Timeline | Promise<Timeline>;
  /** The state of polling as known to this process; `undefined` before the first poll. */
  readonly state: PollState | undefined;
  /** The number of items; 0 before they were read from the store. */
  readonly size: number;
  /** Maximum duration of a fetch with all its retries, in milliseconds. */
  readonly maxFetchMs: number;
  /**
   * Polls the feed now, even if another process just did. Concurrent callers in this process share a poll. While the
   * store is unavailable, the items are kept in memory. Rejects if the process stops meanwhile.
   */
  poll(): Promise<PollState>;
  /** The snapshot of this process; `undefined` before anything was read. */
  snapshot(): ItemsSnapshot | undefined;
  /**
   * Restores the snapshot of an earlier process, used until the store answers. Returns false, and does nothing, if
   * items were read already.
   */
  restore(snapshot: ItemsSnapshot): boolean;
};
