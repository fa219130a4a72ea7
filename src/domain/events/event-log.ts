import type { ChangeRecord } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { Event, EventFilter, KeptHead, LogHead, NewEvent, Proof } from "./event.ts";

/** A record out of the outbox of a store, and the event that it is to be; `at` is that of the record. */
export type RecordedEvent = NewEvent & { readonly change: { readonly store: string; readonly record: ChangeRecord } };

/** A record that cannot be part of the log: another event has its id, or its revision of the same thing. */
export type Conflict = { readonly event: RecordedEvent; readonly reason: string };

/**
 * Port: what happened, in an order that never changes. Nothing in it can be changed or removed but by retention.
 * Each event carries the hash of the one before it, so that the log proves itself.
 */
export interface EventLog {
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
  /**
   * Computes all hashes anew. Finds what was changed, removed, inserted or put elsewhere; what was cut off the end, or written
   * anew altogether, only where a head that was kept elsewhere is given. Takes seconds for each 100,000 events.
   */
  verify(kept?: KeptHead): Promise<Proof>;
  /**
   * Removes the events at the beginning of the log that are from before an instant, up to the first that is not; answers how
   * many. Where there are any, first appends an event that is to tell of it, with the `position` and `hash` of
   * the last one removed in its data. What sets and documents were from then on stays known; what they were before
   * does not, nor who made them what they were.
   */
  expire(before: Instant, telling: NewEvent): Promise<number>;
  /** Resolves once the log has answered. Rejects if it does not, or if its last write failed and another still does. */
  check(): Promise<void>;
}
