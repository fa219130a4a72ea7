import type { ChangeRecord } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";

/** One entry of an outbox. */
export type OutboxEntry = {
  /** The store's id of the entry, valid for the same outbox only. */
  readonly handle: unknown;
  /** One record, or one for each item of an imported batch; `undefined` if the entry is malformed. */
  readonly records: readonly ChangeRecord[] | undefined;
  /** The entry as stored, for operators. */
  readonly text: string;
};

/** Backlog of an outbox: the number of its records, and the time of the oldest. */
export type Backlog = { readonly entries: number; readonly oldest: Instant | undefined };

/** Outbox: change records that the event log does not contain yet. Allows concurrent readers. */
export interface Outbox extends AsyncDisposable {
  /** The oldest entries, with about `limit` records at most. Records of one key are in the order of its changes. */
  read(limit: number): Promise<readonly OutboxEntry[]>;
  /** Removes entries. Idempotent. */
  remove(entries: readonly OutboxEntry[]): Promise<void>;
  backlog(): Promise<Backlog>;
  /** Calls the listener within a second after any process adds an entry. */
  listen(listener: () => void): void;
}
