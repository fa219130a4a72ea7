import "./recent-changes.css";
import { useQuery } from "@tanstack/react-query";
import { useSourcesByName } from "../api/sources.ts";
import { ShortDiff } from "../events/event-diff.tsx";
import type { EventEntry } from "../events/event-entry.ts";
import { entrySentence } from "../events/event-sentence.ts";
import { ShapeIcon } from "../events/event-shape.tsx";
import { authorIn, dataOf, shapeOf } from "../events/event-view.ts";
import { useBefore } from "../events/use-before.ts";
import { Link } from "../routing/link.tsx";
import { linkTo } from "../routing/location.ts";
import { Card } from "../ui/card.tsx";
import { Ago, durationText } from "../ui/time.tsx";
import { changeCount, changesQuery, shownChanges } from "./changes-query.ts";

/** The last changes of a feature. */
export function RecentChanges({ feature }: { readonly feature: string }) {
  const { data } = useQuery(changesQuery(feature));
  const changes = data?.changes ?? [];
  return (
    <Card
      title="Recent changes"
      isPadded={false}
      actions={
        <Link className="link small" href={linkTo(["features", feature], { tab: "events" })}>
          All {data && changeCount(data)}
        </Link>
      }
    >
      {data && changes.length === 0 && <p className="card-body small dim">No change is recorded.</p>}
      <ul className="recent-changes">
        {changes.slice(0, shownChanges).map((entry, index) => (
          <Change key={entry.id} feature={feature} entry={entry} newer={changes.slice(0, index)} />
        ))}
      </ul>
    </Card>
  );
}

function Change({
  feature,
  entry: given,
  newer,
}: {
  readonly feature: string;
  readonly entry: EventEntry;
  readonly newer: readonly EventEntry[];
}) {
  const sources = useSourcesByName();
  const entry = useBefore(given);
  const { first: event, before } = entry;
  const { note, value } = dataOf(event);
  const shape = shapeOf(event, sources);
  const undo = shape === "killed" && undoOf(entry, newer);
  return (
    <li>
      <ShapeIcon shape={shape} />
      <div className="column grow">
        <span className="small strong">
          {entrySentence(entry, sources, feature)}
          {undo && `, undone after ${durationText(Date.parse(undo.time) - Date.parse(event.time))}`}
        </span>
        <span className="tiny dim">
          {authorIn(event)} · <Ago at={event.time} />
        </span>
        {note && <span className="tiny">“{note}”</span>}
        {before !== undefined && <ShortDiff before={before} after={value} />}
      </div>
    </li>
  );
}

/** The change that ended a kill: the next one of the same set. */
const undoOf = ({ first: { store, key } }: EventEntry, newer: readonly EventEntry[]) =>
  newer.findLast(({ first }) => first.key === key && first.store === store)?.first;
