import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { wholeEntries } from "../events/event-entry.ts";
import { EventList } from "../events/event-list.tsx";
import { eventPages } from "../events/event-queries.ts";
import { isChange } from "../events/event-view.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { changesQuery } from "./changes-query.ts";

/** All changes of a feature, with what was before and after. */
export function FeatureEvents({ feature }: { readonly feature: string }) {
  const { data, isPending } = useQuery(changesQuery(feature));
  if (isPending) return <SkeletonRows count={6} />;
  if (!data || data.isCut || data.changes.length === 0) return <EventPages feature={feature} />;
  return <EventList events={data.changes.flatMap(({ events }) => events)} isCut={false} newest={Infinity} />;
}

/** Page by page: there are more than were read for the page of the feature. */
function EventPages({ feature }: { readonly feature: string }) {
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    eventPages({ feature, days: "all" }),
  );
  const events = data?.pages.flatMap((page) => page.events.filter(isChange)) ?? [];
  const isOpenAtEnd = hasNextPage && wholeEntries(events).length < events.length;
  useEffect(() => {
    if (isOpenAtEnd && !isFetchingNextPage) void fetchNextPage();
  });
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (isPending) return <SkeletonRows count={6} />;
  if (events.length === 0 && !hasNextPage) return <EmptyState title="No change is recorded." />;
  return (
    <div className="stack">
      <EventList events={events} isCut={hasNextPage} newest={events[0]?.position ?? 0} />
      {hasNextPage && (
        <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show older events
        </Button>
      )}
    </div>
  );
}
