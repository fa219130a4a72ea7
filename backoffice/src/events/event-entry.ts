import type { Event } from "./event-queries.ts";
import { dataOf } from "./event-view.ts";

/** A row of the list: one event, or the events of one bulk change, newest first. */
export type EventEntry = {
  /** Stays the same when events join the entry. */
  readonly id: string;
  readonly first: Event;
  readonly events: readonly Event[];
};

/** Joins the events of each bulk change, at the place of its newest one. */
export function entriesOf(events: readonly Event[]): readonly EventEntry[] {
  const groups = Map.groupBy(events, (event) => dataOf(event).batch ?? event.id);
  return [...groups].flatMap(([id, group]) => (group[0] ? { id, first: group[0], events: group } : []));
}
