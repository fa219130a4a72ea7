import type { Event, EventFilter, LogHead, NewEvent } from "./activity.ts";
import type { ChangeRecord } from "./change.ts";

/** A record out of the outbox of a store, and the event that it is to be. */
export type RecordedEvent = NewEvent & { readonly change: { readonly store: string; readonly record: ChangeRecord } };

/** A record that cannot be part of the log: another event has its id, or its revision of the same thing. */
export type Conflict = { readonly event: RecordedEvent; readonly reason: string };

/**
 * Port: what happened, in an order that never changes. Nothing in it can be changed or removed but by retention.
 * Each event carries the hash of the one before it, so that the log proves itself.
 */
export interface ActivityLog {
  /** Appends what somebody tells, once by its id: where an event has that, answers it and appends nothing. */
  append(event: NewEvent): Promise<Event>;
  /** Appends records, each exactly once by its id, in this order; answers those that conflict with what is there, which are left out. */
  record(events: readonly RecordedEvent[]): Promise<readonly Conflict[]>;
  /** Newest first, those before a position; at most `limit`. */
  find(filter: EventFilter, limit: number, before?: number): Promise<readonly Event[]>;
  /** Oldest first, those after a position; at most `limit`. */
  follow(filter: EventFilter, limit: number, after: number): Promise<readonly Event[]>;
  /** The event of an id. */
  one(id: string): Promise<Event | undefined>;
  head(): Promise<LogHead>;
  /** Resolves once the log has answered; rejects when it does not. */
  check(): Promise<void>;
}
