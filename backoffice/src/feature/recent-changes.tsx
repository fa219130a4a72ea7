import "./recent-changes.css";
import { useQuery } from "@tanstack/react-query";
import { bodyOf, events } from "../api/client.ts";
import { useSourcesByName } from "../api/sources.ts";
import { entriesOf } from "../events/event-entry.ts";
import { bulkSentence } from "../events/event-sentence.ts";
import { authorIn, dataOf, isChange } from "../events/event-view.ts";
import { Link } from "../routing/link.tsx";
import { linkTo } from "../routing/location.ts";
import { Card } from "../ui/card.tsx";
import { Ago } from "../ui/time.tsx";

const shown = 5;
/** Some events begin a record, and are no change. */
const read = "100";

/** The last changes of a feature. */
export function RecentChanges({ feature }: { readonly feature: string }) {
  const sources = useSourcesByName();
  const { data } = useQuery({
    queryKey: ["feature", feature, "changes"],
    queryFn: () => bodyOf(events.$get({ query: { feature, limit: read } })),
  });
  const changes = entriesOf(data?.events.filter(isChange) ?? []).slice(0, shown);
  const oldest = data?.events.at(-1);
  return (
    <Card
      title="Recent changes"
      isPadded={false}
      actions={
        <Link className="link small" href={linkTo(["features", feature], { tab: "events" })}>
          All
        </Link>
      }
    >
      {data && changes.length === 0 && <p className="card-body small dim">No change is recorded.</p>}
      <ul className="recent-changes">
        {changes.map(({ id, first: event, events }) => (
          <li key={id}>
            <span className="small strong">
              {bulkSentence(events, sources)}
              {data?.next !== undefined && oldest && events.includes(oldest) && " or more"}
            </span>
            <span className="tiny dim">
              {authorIn(event)} · <Ago at={event.time} />
            </span>
            {dataOf(event).note && <span className="tiny">“{dataOf(event).note}”</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}
