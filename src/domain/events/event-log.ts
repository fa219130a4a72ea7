import type { ChangeRecord } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { Event, EventFilter, LogHead, LogPart, NewEvent, Proof, TrustedHead } from "./event.ts";

/** The event of a record from an outbox. `at` is that of the record. */
export type RecordedEvent = NewEvent & { readonly change: { readonly store: string; readonly record: ChangeRecord } };

/** A record that the log rejects: another event has its id, or the same revision of the same item. */
export type Conflict = { readonly event: RecordedEvent; readonly reason: string };

/**
 * Event log: events in an order that never changes. Only retention removes events. Each event carries the hash of the
 * one before it, so that the log is tamper-evident.
 */
export interface EventLog {
  /** Appends an event. Idempotent by id: returns the event that has the id already. */
  append(event: NewEvent): Promise<Event>;
  /**
   * Appends records in this order, each exactly once by its id. Returns the records that conflict with the log, which
   * are not appended.
   */
  record(events: readonly RecordedEvent[]): Promise<readonly Conflict[]>;
  /** Newest first, before a position; at most `limit`. */
  find(filter: EventFilter, limit: number, before?: number): Promise<readonly Event[]>;
  /** Oldest first, after a position; at most `limit`. */
  follow(filter: EventFilter, limit: number, after: number): Promise<readonly Event[]>;
  /** The event with an id. */
  one(id: string): Promise<Event | undefined>;
  /** The events at positions, in any order. Omits removed ones. */
  at(positions: readonly number[]): Promise<readonly Event[]>;
  head(): Promise<LogHead>;
  /**
   * Verifies all hashes. Finds events that were changed, removed, inserted or moved. Finds a truncated or wholly
   * rewritten log only if a head that was stored elsewhere is given. Takes seconds for each 100,000 events; `part`
   * limits it. If retention removed the head that a part follows, the part begins at the start of the log.
   */
  verify(trusted?: TrustedHead, part?: LogPart): Promise<Proof>;
  /**
   * Retention: removes the events at the beginning of the log that are older than an instant, up to the first that is
   * not. Returns how many. If there are any, first appends the given event, with the `position` and `hash` of the last
   * removed event in its data. The state of sets and documents from that instant on stays known. Earlier states, and
   * the events that led to them, do not.
   */
  expire(before: Instant, event: NewEvent): Promise<number>;
  /**
   * Resolves once the log has responded. Rejects if it does not, or if its last write failed and another still does.
   */
  check(): Promise<void>;
}
