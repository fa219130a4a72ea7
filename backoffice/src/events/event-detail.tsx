import { useIsEditor } from "../api/session.ts";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { count, counted } from "../ui/numbers.ts";
import { EventDiff } from "./event-diff.tsx";
import type { EventEntry } from "./event-entry.ts";
import type { Event } from "./event-queries.ts";
import { sentenceOf } from "./event-sentence.ts";
import { isRevertible, type SourcesByName } from "./event-view.ts";
import { RevertButton } from "./revert-button.tsx";

const maxEvents = 50;
const maxLinks = 5;

/** What an entry of the list changed, with its revert and links to what it concerns. */
export function EventDetail({
  entry,
  sources,
  isAlone = false,
}: {
  readonly entry: EventEntry;
  readonly sources: SourcesByName;
  /** Whether this is the page of the event, which needs no link to itself. */
  readonly isAlone?: boolean;
}) {
  const isEditor = useIsEditor();
  const { first, events } = entry;
  return (
    <>
      {events.length === 1 ? <EventDiff event={first} /> : <Events events={events} sources={sources} />}
      <div className="event-row-foot tiny dim">
        {isEditor && events.every(isRevertible) && <RevertButton entry={entry} sources={sources} />}
        <span className="row wrap push event-row-links">
          <Concerned events={events} />
          {isAlone ? null : events.length === 1 ? (
            <Link className="link num" href={links.event(first.position)}>
              event {count(first.position)}
            </Link>
          ) : (
            <span className="num">{counted(events.length, "event")}</span>
          )}
        </span>
      </div>
    </>
  );
}

const Events = ({ events, sources }: { readonly events: readonly Event[]; readonly sources: SourcesByName }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
  <section className="event-diff-side event-row-events small" tabIndex={0} aria-label="Changes of this bulk change">
    <ul>
      {events.slice(0, maxEvents).map((event) => (
        <li key={event.id}>{sentenceOf(event, sources)}</li>
      ))}
      {events.length > maxEvents && <li className="dim">and {count(events.length - maxEvents)} more</li>}
    </ul>
  </section>
);

/** Links to the features and the user that the events concern, and to the state before them. */
function Concerned({ events }: { readonly events: readonly Event[] }) {
  const features = [...new Set(events.flatMap((event) => event.features ?? []))].slice(0, maxLinks);
  const users = [...new Set(events.flatMap(({ user }) => user ?? []))];
  const [user] = users.length === 1 ? users : [];
  const oldest = events.at(-1);
  const before = new Date(Date.parse(oldest?.time ?? "") - 1).toISOString();
  return (
    <>
      {features.map((feature) => (
        <Link key={feature} className="link" href={links.feature(feature)}>
          {feature}
        </Link>
      ))}
      {user !== undefined && (
        <Link className="link" href={links.person(user)}>
          {user}
        </Link>
      )}
      {oldest?.component === "features" && (
        <Link className="link" href={links.person(user, { mode: "at", at: before })}>
          See the state before it
        </Link>
      )}
    </>
  );
}
