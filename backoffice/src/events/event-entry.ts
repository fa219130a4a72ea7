import type { Event } from "./event-queries.ts";
import { dataOf } from "./event-view.ts";

/** A row of the list: one event, or the events of one bulk change, newest first. */
export type EventEntry = {
  /** Stays the same when events join the entry. */
  readonly id: string;
  readonly first: Event;
  readonly events: readonly Event[];
};

/** Joins events of the same bulk change that follow each other. */
export function entriesOf(events: readonly Event[]): readonly EventEntry[] {
  const groups: [Event, ...Event[]][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    const { batch } = dataOf(event);
    if (batch !== undefined && last && dataOf(last[0]).batch === batch) last.push(event);
    else groups.push([event]);
  }
  return groups.map((group) => {
    const [first] = group;
    return { id: dataOf(first).batch ?? first.id, first, events: group };
  });
}
