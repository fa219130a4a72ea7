import type { Instant } from "../evaluation/evaluation-context.ts";
import type { ChangeRecord } from "./change.ts";

/** One entry of an outbox. */
export type OutboxEntry = {
  /** What the store calls it; means something to the same outbox only. */
  readonly handle: unknown;
  /** One, or, of things that were loaded together, one each; `undefined` where the entry is malformed. */
  readonly records: readonly ChangeRecord[] | undefined;
  /** The entry as it stands in the store, to be looked at by people. */
  readonly text: string;
};

/** What waits for the log: how many records, and since when the oldest. */
export type Backlog = { readonly entries: number; readonly oldest: Instant | undefined };

/** Port: the records of a store's changes, until they stand in the activity log. Several may read it at once. */
export interface Outbox extends AsyncDisposable {
  /** The oldest entries, of at most about `limit` records; those of one thing in the order in which it was changed. */
  read(limit: number): Promise<readonly OutboxEntry[]>;
  /** Takes entries out. One that is not there any more is no error. */
  remove(entries: readonly OutboxEntry[]): Promise<void>;
  backlog(): Promise<Backlog>;
  /** Calls the listener within a second of when an entry was added, by whatever process. */
  listen(listener: () => void): void;
}
