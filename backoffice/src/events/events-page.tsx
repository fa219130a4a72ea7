import "./events.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Download, Pause, Play, ShieldCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { hasStatus } from "../api/problem.ts";
import { useIsPaused } from "../live/connection.ts";
import { linkTo, navigate, useLocation } from "../routing/location.ts";
import { Banner } from "../ui/banner.tsx";
import { Button } from "../ui/button.tsx";
import { Dot } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Menu } from "../ui/menu.tsx";
import { counted } from "../ui/numbers.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { wholeEntries } from "./event-entry.ts";
import { EventFilterBar } from "./event-filter-bar.tsx";
import { EventList } from "./event-list.tsx";
import { eventPages, exportLink, filtersIn } from "./event-queries.ts";
import { isChange } from "./event-view.ts";
import { useLiveEvents } from "./use-live-events.ts";
import { VerifyDialog } from "./verify-dialog.tsx";

/** Distance from the end at which the next page is read, in pixels. */
const nearEnd = 600;
/** Distance from the top from which on the list does not move under its reader, in pixels. */
const awayFromTop = 120;

/** The page Events: who changed what, and what it was before. */
export default function EventsPage() {
  const filters = filtersIn(useLocation().query);
  const query = eventPages(filters, "event-list");
  const { data, error, isPending, hasNextPage, isFetching, isFetchingNextPage, fetchNextPage, refetch } =
    useInfiniteQuery(query);
  const isPaused = useIsPaused();
  const { isLive, waiting, setLive } = useLiveEvents(query);
  const [isVerifying, setVerifying] = useState(false);
  const newest = useRef<number>(undefined);
  const region = useRef<HTMLDivElement>(null);
  const events = data?.pages.flatMap((page) => page.events.filter(isChange)) ?? [];
  newest.current ??= events[0]?.position;

  const follow = () => {
    setLive(true);
    region.current?.scrollTo({ top: 0 });
  };
  const scrolled = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: React.UIEvent<HTMLDivElement>) => {
    if (isLive && scrollTop > awayFromTop) setLive(false);
    if (hasNextPage && !isFetching && scrollHeight - scrollTop - clientHeight < nearEnd) void fetchNextPage();
  };
  const isOpenAtEnd = hasNextPage && wholeEntries(events).length < events.length;
  // A page of the log may hold few changes, and then nothing scrolls; or it ends within a bulk change.
  useEffect(() => {
    const { scrollHeight = 0, clientHeight = 0 } = region.current ?? {};
    if (hasNextPage && !isFetching && (isOpenAtEnd || scrollHeight - clientHeight < nearEnd)) void fetchNextPage();
  });
  const isUnavailable = hasStatus(error, 503);
  return (
    <div className="page" ref={region} onScroll={scrolled}>
      <div className="page-head">
        <h1 className="grow">Events</h1>
        <Button aria-pressed={isLive} onClick={() => (isLive ? setLive(false) : follow())}>
          <Dot tone={isLive && !isPaused ? "good" : "warn"} />
          {isLive ? (isPaused ? "Reconnecting" : "Live") : waiting > 0 ? `Resume, ${waiting} new` : "Resume"}
          {isLive ? <Pause size={15} aria-hidden /> : <Play size={15} aria-hidden />}
        </Button>
        <Button aria-label="Verify the log" onClick={() => setVerifying(true)}>
          <ShieldCheck size={15} aria-hidden />
          <span className="wide-only">Verify</span>
        </Button>
        <Menu
          button={
            <>
              <Download size={15} aria-hidden />
              Export
            </>
          }
          items={(["csv", "ndjson"] as const).map((format) => ({
            name: format === "csv" ? "CSV, for a spreadsheet" : "JSON, a line for each event",
            onChoose: () => location.assign(exportLink(filters, format)),
          }))}
        />
      </div>
      {isVerifying && <VerifyDialog onClose={() => setVerifying(false)} />}
      <EventFilterBar filters={filters} authors={[...new Set(events.map((event) => event.recorded_by))].sort()} />
      {isUnavailable && (
        <Banner tone="warn" title="The event log is unavailable.">
          Changes still work and are queued.
        </Banner>
      )}
      {error && !isUnavailable && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {isPending && <SkeletonRows count={8} />}
      {data && events.length === 0 && (
        <EmptyState
          title={Object.keys(filters).length > 0 ? "No event matches." : "No events in the last 7 days."}
          action={<Button onClick={() => navigate(linkTo(["events"], { days: "all" }))}>Show all events</Button>}
        >
          Every change of a feature is recorded here.
        </EmptyState>
      )}
      {events.length > 0 && (
        <EventList events={events} isCut={hasNextPage} newest={newest.current ?? Number.POSITIVE_INFINITY} />
      )}
      <p className="events-end dim small" role="status">
        {isFetchingNextPage && "Loading older events…"}
        {data && !hasNextPage && events.length > 0 && `${counted(events.length, "event")}, no older ones match.`}
      </p>
    </div>
  );
}
