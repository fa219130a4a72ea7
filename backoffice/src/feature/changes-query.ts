import { queryOptions } from "@tanstack/react-query";
import { bodyOf, events } from "../api/client.ts";
import { type EventEntry, entriesOf } from "../events/event-entry.ts";
import type { Event } from "../events/event-queries.ts";
import { isChange } from "../events/event-view.ts";
import { count } from "../ui/numbers.ts";

/** How many of the last changes are shown. */
export const shownChanges = 5;
/** A bulk change has an event for each user: pages are read until enough changes are whole. */
const pageSizes = ["100", ...Array.from({ length: 10 }, () => "1000")];

/** The last changes of a feature. `isCut`: the oldest one may have more events, and older ones may follow. */
type Changes = { readonly changes: readonly EventEntry[]; readonly isCut: boolean };

async function readChanges(feature: string): Promise<Changes> {
  const found: Event[] = [];
  let cursor: string | undefined;
  for (const limit of pageSizes) {
    const page = await bodyOf(events.$get({ query: { feature, limit, ...(cursor !== undefined && { cursor }) } }));
    // Some events begin a record, and are no change.
    found.push(...page.events.filter(isChange));
    cursor = page.next;
    if (cursor === undefined || entriesOf(found).length > shownChanges) break;
  }
  return { changes: entriesOf(found), isCut: cursor !== undefined };
}

/** The last changes of a feature, with the events of each. */
export const changesQuery = (feature: string) =>
  queryOptions({ queryKey: ["feature", feature, "changes"], queryFn: () => readChanges(feature) });

/** The number of changes that were read, such as "47"; "100+" if there may be older ones. */
export const changeCount = ({ changes, isCut }: Changes): string => `${count(changes.length)}${isCut ? "+" : ""}`;
