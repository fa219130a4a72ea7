import type { Revision } from "../admin/change.ts";
import type { KnownItem, PollState } from "./item.ts";

/** What became known of a partner's items after a revision. */
export type ItemChanges = {
  /** In the order in which they were put, each once, as it stands now. */
  readonly items: readonly KnownItem[];
  /** To ask for what comes next. Of another epoch than that which was asked after: the items are the first of all. `undefined` where there never was one. */
  readonly revision: Revision | undefined;
  /** `undefined` where nobody kept one. */
  readonly state: PollState | undefined;
};

/**
 * Port: what is known of the items of partners, by the name of the source that reads them, and how that reading does. Nothing in it is
 * ever forgotten. It is no record of what people changed. Rejects when the store does not answer, and with `StoreFull`.
 */
export interface ItemStore {
  /** Puts items, all or none, each under the next revision; at most some hundred, as others wait meanwhile. */
  put(provider: string, items: readonly KnownItem[]): Promise<void>;
  /** What was put after a revision, at most so many; without one, from the beginning. */
  since(provider: string, revision: Revision | undefined, limit: number): Promise<ItemChanges>;
  keepState(provider: string, state: PollState): Promise<void>;
}
