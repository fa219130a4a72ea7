import { queryOptions } from "@tanstack/react-query";
import { bodyOf, events } from "../api/client.ts";
import { type EventEntry, entriesOf, wholeEntries } from "../events/event-entry.ts";
import type { Event } from "../events/event-queries.ts";
import { count } from "../ui/numbers.ts";

/** How many of the last changes are shown. */
export const shownChanges = 5;
/** Changes that are read: older ones are on pages of their own. */
const maxChanges = 100;
const maxPages = 5;
/** Events that begin a record are no change, and there may be one for each user. */
const origins = ["change", "external"] as const;

/** The last changes of a feature, newest first. `isCut`: older ones were not read. */
type Changes = { readonly changes: readonly EventEntry[]; readonly isCut: boolean };

async function readChanges(feature: string): Promise<Changes> {
  const found = await Promise.all(origins.map((origin) => readEvents({ feature, origin })));
  const oldest = Math.max(...found.map((each) => (each.isCut ? (each.events.at(-1)?.position ?? 0) : 0)));
  const newestFirst = found
    .flatMap((each) => each.events.filter(({ position }) => position >= oldest))
    .toSorted((one, other) => other.position - one.position);
  return { changes: entriesOf(newestFirst), isCut: found.some((each) => each.isCut) };
}

/** The newest events. A bulk change has up to 1,000 of them, so pages are read until enough changes are whole. */
async function readEvents(filter: { readonly feature: string; readonly origin: (typeof origins)[number] }) {
  let found: readonly Event[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < maxPages; pages++) {
    const limit = String(pages === 0 ? maxChanges : 1_000);
    const page = await bodyOf(events.$get({ query: { ...filter, limit, ...(cursor !== undefined && { cursor }) } }));
    found = [...found, ...page.events];
    cursor = page.next;
    if (cursor === undefined) return { events: found, isCut: false };
    const whole = wholeEntries(found);
    if (entriesOf(whole).length >= maxChanges) return { events: whole, isCut: true };
  }
  return { events: wholeEntries(found), isCut: true };
}

/** The last changes of a feature, with the events of each. */
export const changesQuery = (feature: string) =>
  queryOptions({ queryKey: ["feature", feature, "changes"], queryFn: () => readChanges(feature) });

/** The number of changes that were read, such as "47"; "100+" if there may be older ones. */
export const changeCount = ({ changes, isCut }: Changes): string => `${count(changes.length)}${isCut ? "+" : ""}`;
