import "./recent-changes.css";
import { useQuery } from "@tanstack/react-query";
import { bodyOf, events } from "../api/client.ts";
import { useSourcesByName } from "../api/sources.ts";
import { entriesOf } from "../events/event-entry.ts";
import type { Event } from "../events/event-queries.ts";
import { bulkSentence } from "../events/event-sentence.ts";
import { authorIn, dataOf, isChange } from "../events/event-view.ts";
import { Link } from "../routing/link.tsx";
import { linkTo } from "../routing/location.ts";
import { Card } from "../ui/card.tsx";
import { Ago } from "../ui/time.tsx";

const shown = 5;
/** A bulk change has an event for each user: pages are read until enough changes are whole. */
const pageSizes = ["100", ...Array.from({ length: 10 }, () => "1000")];

/** The events of the last changes of a feature. `isCut`: the oldest change may have more of them. */
async function readChanges(feature: string) {
  const found: Event[] = [];
  let cursor: string | undefined;
  for (const limit of pageSizes) {
    const page = await bodyOf(events.$get({ query: { feature, limit, ...(cursor !== undefined && { cursor }) } }));
    // Some events begin a record, and are no change.
    found.push(...page.events.filter(isChange));
    cursor = page.next;
    if (cursor === undefined || entriesOf(found).length > shown) break;
  }
  return { changes: entriesOf(found), isCut: cursor !== undefined };
}

/** The last changes of a feature. */
export function RecentChanges({ feature }: { readonly feature: string }) {
  const sources = useSourcesByName();
  const { data } = useQuery({
    queryKey: ["feature", feature, "changes"],
    queryFn: () => readChanges(feature),
  });
  const changes = data?.changes ?? [];
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
        {changes.slice(0, shown).map(({ id, first: event, events }) => (
          <li key={id}>
            <span className="small strong">
              {bulkSentence(events, sources)}
              {data?.isCut && id === changes.at(-1)?.id && " or more"}
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
