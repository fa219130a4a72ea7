import { changedKey } from "../../../domain/admin/change.ts";
import type { Event } from "../../../domain/events/event.ts";
import { indexedKey } from "../database/indexed-text.ts";
import type { HashedEvent } from "./event-hash.ts";

/** A row of the table `events`. `data` and `record` are JSON. */
export type EventRow = Omit<Event, "at" | "recordedBy" | "data" | "change"> & {
  /** The message in lower case. */
  readonly folded: string;
  readonly data: string;
  readonly created_at: number;
  readonly recorded_by: string;
  /** Of a change, otherwise null: the store, the changed item and its revision after the change. */
  readonly store: string | null;
  readonly kind: "set" | "document" | "token" | null;
  readonly key: string | null;
  readonly epoch: string | null;
  readonly number: number | null;
  readonly record: string | null;
};

/** The columns of a change. */
type Change = Pick<EventRow, "store" | "kind" | "key" | "epoch" | "number">;

const noChange: Change = { store: null, kind: null, key: null, epoch: null, number: null };

/** The changed item, and its revision after the change. */
export function changeOf({ change }: Pick<HashedEvent, "change">): Change {
  if (!change) return noChange;
  const { store, record } = change;
  const { epoch, number } = record.revision;
  return { store, kind: record.of, key: indexedKey(changedKey(record)), epoch, number };
}

/** Folds case for searches in messages. */
export const folded = (text: string): string => text.toLowerCase();

export const rowOf = (event: Event) => ({
  position: event.position,
  id: event.id,
  component: event.component,
  environment: event.environment,
  email: event.email,
  message: event.message,
  folded: folded(event.message),
  data: JSON.stringify(event.data),
  created_at: new Date(event.at),
  recorded_by: event.recordedBy,
  ...changeOf(event),
  record: event.change ? JSON.stringify(event.change.record) : null,
  hash: event.hash,
});

export const eventIn = (row: EventRow): Event => ({
  id: row.id,
  component: row.component,
  environment: row.environment,
  email: row.email,
  message: row.message,
  data: JSON.parse(row.data),
  at: row.created_at,
  recordedBy: row.recorded_by,
  position: row.position,
  ...(row.store !== null && row.record !== null && { change: { store: row.store, record: JSON.parse(row.record) } }),
  hash: row.hash,
});
