import "./event-row.css";
import { ChevronRight, CircleDot, KeyRound } from "lucide-react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Tag } from "../ui/card.tsx";
import { StateIcon } from "../ui/feature-state.tsx";
import { count } from "../ui/numbers.ts";
import { clock } from "../ui/time.tsx";
import { EventDiff } from "./event-diff.tsx";
import type { Event } from "./event-queries.ts";
import { authorIn, dataOf, type EventShape, featuresIn, madeWith, shapeOf } from "./event-view.ts";

/** One event; opened, it shows what changed. */
export function EventRow({
  event,
  isOpen,
  isNew,
  onToggle,
}: {
  readonly event: Event;
  readonly isOpen: boolean;
  /** Whether it arrived while the page was open. */
  readonly isNew: boolean;
  readonly onToggle: () => void;
}) {
  const { note } = dataOf(event);
  const panel = `event-${event.position}`;
  return (
    <li className={`event-row ${isOpen ? "open" : ""} ${isNew ? "new" : ""}`}>
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
        <ShapeIcon shape={shapeOf(event)} />
        <span className="grow event-row-text">
          <span>{event.message}</span>
          {note && <span className="tiny dim">“{note}”</span>}
        </span>
        <span className="event-row-origin">
          <Tag>{madeWith(event)}</Tag>
        </span>
        <span className={`event-row-by ellipsis ${authorIn(event) === "unknown" ? "dim" : ""}`}>{authorIn(event)}</span>
      </button>
      {isOpen && (
        <div className="event-row-detail" id={panel}>
          <EventDiff event={event} />
          <div className="event-row-foot tiny dim">
            <FeatureLinks event={event} />
            <span className="num push">event {count(event.position)}</span>
          </div>
        </div>
      )}
    </li>
  );
}

function FeatureLinks({ event }: { readonly event: Event }) {
  const features = featuresIn(event).slice(0, 5);
  const before = new Date(Date.parse(event.time) - 1).toISOString();
  return (
    <span className="row wrap">
      {features.map((feature) => (
        <Link key={feature} className="link" href={links.feature(feature)}>
          {feature}
        </Link>
      ))}
      {event.component === "features" && (
        <Link className="link" href={links.person("-", { mode: "at", at: before })}>
          See the state before it
        </Link>
      )}
    </span>
  );
}

function ShapeIcon({ shape }: { readonly shape: EventShape }) {
  if (shape === "token") return <KeyRound size={16} className="dim" aria-hidden />;
  if (shape === "event") return <CircleDot size={16} className="dim" aria-hidden />;
  return (
    <span className="event-row-shape">
      <StateIcon state={shape} size={16} />
    </span>
  );
}
