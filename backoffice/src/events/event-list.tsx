import "./event-list.css";
import { useState } from "react";
import { useSourcesByName } from "../api/sources.ts";
import { day } from "../ui/time.tsx";
import { entriesOf } from "./event-entry.ts";
import type { Event } from "./event-queries.ts";
import { EventRow } from "./event-row.tsx";

const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const dayMs = 86_400_000;

/** Events, newest first, under the day on which they were recorded. */
export function EventList({
  events,
  isCut,
  newest,
}: {
  readonly events: readonly Event[];
  /** Whether older events follow, which the last bulk change may have, too. */
  readonly isCut: boolean;
  /** The position of the newest event when the page was opened. */
  readonly newest: number;
}) {
  const sources = useSourcesByName();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) =>
    setOpened((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const entries = entriesOf(events);
  const days = Map.groupBy(entries, ({ first }) => day(new Date(first.time)));
  return (
    <div className="event-list">
      {[...days].map(([name, ofDay]) => (
        <section key={name} aria-label={name}>
          <h2 className="event-list-day">{dayName(new Date(ofDay[0]?.first.time ?? 0))}</h2>
          <ul>
            {ofDay.map((entry) => (
              <EventRow
                key={entry.id}
                entry={entry}
                sources={sources}
                isCut={isCut && entry === entries.at(-1)}
                isOpen={opened.has(entry.id)}
                isNew={entry.first.position > newest}
                onToggle={() => toggle(entry.id)}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function dayName(at: Date): string {
  const now = Date.now();
  const names = [
    [now, "Today"],
    [now - dayMs, "Yesterday"],
  ] as const;
  const name = names.find(([instant]) => day(new Date(instant)) === day(at))?.[1];
  return name ? `${name}, ${weekday.format(at)}` : weekday.format(at);
}
