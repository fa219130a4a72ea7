import type { ChangeOptions } from "../../domain/admin/change.ts";
import { IdempotencyKeyReused } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { isSameJson } from "../../domain/evaluation/feature.ts";
import type { Event, NewEvent } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { queryLog } from "./query-log.ts";

/** An event as its author reports it. */
export type ReportedEvent = Pick<NewEvent, "component" | "environment" | "email" | "message" | "data">;

/** The ids of new events. */
export type EventIds = {
  readonly newId: () => string;
  /** The same id for the same text. */
  readonly idFor: (text: string) => string;
};

/**
 * Appends a reported event to the event log and returns it. With an idempotency key that the author used for the same
 * event before, returns that event. Rejects with `IdempotencyKeyReused` if it was used for another event, and with
 * `EventLogUnavailable`.
 */
export const recordEvent =
  (log: EventLog, ids: EventIds, now: () => Instant) =>
  async (reported: ReportedEvent, { by, idempotencyKey }: ChangeOptions): Promise<Event> => {
    // The id is derived from the idempotency key, and the log takes each id once: two concurrent calls make one event.
    const id = idempotencyKey === undefined ? ids.newId() : ids.idFor(`told\n${by}\n${idempotencyKey}`);
    const event = await queryLog(() => log.append({ ...reported, id, at: now(), recordedBy: by }));
    if (!isSameEvent(event, reported)) throw new IdempotencyKeyReused();
    return event;
  };

export type RecordEvent = ReturnType<typeof recordEvent>;

const isSameEvent = (event: ReportedEvent, reported: ReportedEvent): boolean =>
  event.component === reported.component &&
  event.environment === reported.environment &&
  event.email === reported.email &&
  event.message === reported.message &&
  isSameJson(event.data, reported.data);
