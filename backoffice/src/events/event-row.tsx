import "./event-row.css";
import { ChevronRight } from "lucide-react";
import { useRef } from "react";
import { Tag } from "../ui/card.tsx";
import { clock } from "../ui/time.tsx";
import { EventDetail } from "./event-detail.tsx";
import type { EventEntry } from "./event-entry.ts";
import { entrySentence } from "./event-sentence.ts";
import { ShapeIcon } from "./event-shape.tsx";
import { authorIn, dataOf, madeWith, type SourcesByName, shapeOf } from "./event-view.ts";
import { useBefore, useSeen } from "./use-before.ts";

/** One event, or the events of one bulk change; opened, it shows what changed. */
export function EventRow({
  entry: given,
  sources,
  isCut,
  isOpen,
  isNew,
  onToggle,
}: {
  readonly entry: EventEntry;
  readonly sources: SourcesByName;
  /** Whether a bulk change may have more events. */
  readonly isCut: boolean;
  readonly isOpen: boolean;
  /** Whether it arrived while the page was open. */
  readonly isNew: boolean;
  readonly onToggle: () => void;
}) {
  const row = useRef<HTMLLIElement>(null);
  const entry = useBefore(given, useSeen(row));
  const { first: event, events } = entry;
  const { note, reverts } = dataOf(event);
  const tool = madeWith(event);
  const panel = `event-${event.position}`;
  return (
    <li ref={row} className={`event-row ${isOpen ? "open" : ""} ${isNew ? "new" : ""}`}>
      <button
        type="button"
        className="event-row-head"
        aria-expanded={isOpen}
        aria-controls={isOpen ? panel : undefined}
        onClick={onToggle}
      >
        <ChevronRight size={16} className="event-row-chevron dim" aria-hidden />
        <time className="num dim event-row-time" dateTime={event.time}>
          {clock(new Date(event.time))}
        </time>
        <ShapeIcon shape={shapeOf(event, sources)} />
        <span className="grow event-row-text">
          <span>
            {entrySentence(entry, sources)}
            {isCut && events.length > 1 && " or more"}
          </span>
          {note && <span className="tiny dim">“{note}”</span>}
          {reverts && <span className="tiny dim">Reverts an earlier change</span>}
        </span>
        <span className="event-row-origin">{tool !== undefined && <Tag>{tool}</Tag>}</span>
        <span className={`event-row-by ellipsis ${authorIn(event) === "unknown" ? "dim" : ""}`}>{authorIn(event)}</span>
      </button>
      {isOpen && (
        <div className="event-row-detail" id={panel}>
          <EventDetail entry={entry} sources={sources} />
        </div>
      )}
    </li>
  );
}
