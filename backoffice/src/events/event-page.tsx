import "./event-row.css";
import { useQuery } from "@tanstack/react-query";
import { hasStatus } from "../api/problem.ts";
import { useSourcesByName } from "../api/sources.ts";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Card } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { dayTime } from "../ui/time.tsx";
import { EventDetail } from "./event-detail.tsx";
import { eventQuery } from "./event-queries.ts";
import { sentenceOf } from "./event-sentence.ts";
import { authorIn, dataOf, madeWith } from "./event-view.ts";

/** The page of one event, by its position or id: who changed what, and how to revert it. */
export default function EventPage({ segment: id }: { readonly segment: string }) {
  const sources = useSourcesByName();
  const { data: event, error, refetch } = useQuery(eventQuery(id));
  const name = event ? `Event ${event.position}` : `Event ${id}`;
  const note = event && dataOf(event).note;
  const tool = event && madeWith(event);
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link href={links.events()}>Events</Link>
        <span aria-hidden="true">/</span>
        <span className="ellipsis">{name}</span>
      </nav>
      <div className="page-head">
        <h1 className="grow num">{name}</h1>
      </div>
      {hasStatus(error, 404) ? (
        <EmptyState title={`The log has no event ${id}.`}>It never had one, or retention removed it.</EmptyState>
      ) : error ? (
        <ErrorNote error={error} onRetry={() => void refetch()} />
      ) : event ? (
        <Card title={sentenceOf(event, sources, event)}>
          <div className="stack">
            <p className="small">
              {dayTime(new Date(event.time))} by <b>{authorIn(event)}</b>
              {tool !== undefined && `, ${tool}`}
              {note && `: “${note}”`}
            </p>
            <EventDetail
              entry={{ id: event.id, first: event, events: [event], before: event.before }}
              sources={sources}
              isAlone
            />
          </div>
        </Card>
      ) : (
        <SkeletonRows count={3} />
      )}
    </div>
  );
}
