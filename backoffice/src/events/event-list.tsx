import "./event-list.css";
import { day } from "../ui/time.tsx";
import type { Event } from "./event-queries.ts";
import { EventRow } from "./event-row.tsx";

const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const dayMs = 86_400_000;

/** Events, newest first, under the day on which they were recorded. */
export function EventList({
  events,
  opened,
  newest,
  onToggle,
}: {
  readonly events: readonly Event[];
  readonly opened: ReadonlySet<number>;
  /** The position of the newest event when the page was opened. */
  readonly newest: number;
  readonly onToggle: (position: number) => void;
}) {
  const days = Map.groupBy(events, ({ time }) => day(new Date(time)));
  return (
    <div className="event-list">
      {[...days].map(([name, ofDay]) => (
        <section key={name} aria-label={name}>
          <h2 className="event-list-day">{dayName(new Date(ofDay[0]?.time ?? 0))}</h2>
          <ul>
            {ofDay.map((event) => (
              <EventRow
                key={event.position}
                event={event}
                isOpen={opened.has(event.position)}
                isNew={event.position > newest}
                onToggle={() => onToggle(event.position)}
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
