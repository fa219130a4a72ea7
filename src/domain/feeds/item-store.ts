import type { Revision } from "../admin/change.ts";
import type { KnownItem, PollState } from "./item.ts";

/** Changes of a feed's items after a revision. */
export type ItemChanges = {
  /** In the order in which they were put, each item once, in its present state. */
  readonly items: readonly KnownItem[];
  /**
   * The revision for the next read. If its epoch differs from the one in the call, the items start from the beginning.
   * `undefined` if there is none.
   */
  readonly revision: Revision | undefined;
  /** `undefined` if none is stored. */
  readonly state: PollState | undefined;
};

/**
 * Item store: the items and the poll state of feeds, by source name. Items are never removed. It does not record
 * changes. Rejects if the store does not respond, and with `StoreFull`.
 */
export interface ItemStore {
  /**
   * Writes items, all or none, each under the next revision; at most some hundred, because a store is blocked
   * meanwhile.
   */
  put(feed: string, items: readonly KnownItem[]): Promise<void>;
  /** The items put after a revision, at most `limit`; without a revision, from the beginning. */
  since(feed: string, revision: Revision | undefined, limit: number): Promise<ItemChanges>;
  saveState(feed: string, state: PollState): Promise<void>;
}
