import type { Event } from "./event-queries.ts";
import { dataOf } from "./event-view.ts";

/** A row of the list: one event, or the events of one bulk change, newest first. */
export type EventEntry = {
  /** Stays the same when events join the entry. */
  readonly id: string;
  readonly first: Event;
  readonly events: readonly Event[];
  /** The rule or description before the first event; `null` if it was removed, `undefined` if it is not known. */
  readonly before?: unknown;
};

/** Joins the events of each bulk change, at the place of its newest one. */
export function entriesOf(events: readonly Event[]): readonly EventEntry[] {
  const values = new Map(events.map((event) => [revisionOf(event), dataOf(event).value]));
  const groups = Map.groupBy(events, (event) => dataOf(event).batch ?? event.id);
  return [...groups].flatMap(([id, group]) => {
    const [first] = group;
    return first ? [{ id, first, events: group, before: values.get(revisionOf(first, -1)) }] : [];
  });
}

/** Events without those of the last bulk change, which may have older ones that are not loaded. */
export function wholeEntries(events: readonly Event[]): readonly Event[] {
  const last = events.at(-1);
  const batch = last && dataOf(last).batch;
  return batch === undefined ? events : events.filter((event) => dataOf(event).batch !== batch);
}

/** The revision of what an event changed, or one that is `offset` later. Revisions have no gap, so -1 is the one before. */
function revisionOf({ store, key, revision = "" }: Event, offset = 0): string {
  return JSON.stringify([store, key, revision.replace(/\d+$/, (number) => `${Number(number) + offset}`)]);
}
