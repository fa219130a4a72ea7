import "./system-page.css";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { useIsPaused } from "../live/connection.ts";
import { Banner } from "../ui/banner.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { TrafficCharts } from "./charts/traffic-charts.tsx";
import { ConfigurationCard } from "./configuration/configuration-card.tsx";
import { Figures } from "./figures.tsx";
import { InstanceTable } from "./instance-table.tsx";
import { Refreshed } from "./refreshed.tsx";
import { SourceTable } from "./source-table.tsx";
import { StoreTable } from "./store-table.tsx";
import { StreamList } from "./stream-list.tsx";
import { type System, systemQuery } from "./system-queries.ts";
import { verdictOn } from "./verdict.ts";
import { WorkerTable } from "./worker-table.tsx";

/** The page System: whether results are fresh, and what they depend on. */
export default function SystemPage() {
  const { data, error, isPending, dataUpdatedAt, refetch } = useQuery(systemQuery);
  return (
    <div className="page">
      <div className="page-head">
        <h1 className="grow">System</h1>
        {data && <Refreshed at={dataUpdatedAt} />}
      </div>
      {error && !data && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {isPending && <SkeletonRows count={8} />}
      {data && <Content system={data} />}
    </div>
  );
}

function Content({ system }: { readonly system: System }) {
  const isPaused = useIsPaused();
  const { tone, title, text } = verdictOn(system);
  return (
    <>
      {isPaused ? (
        <Banner tone="warn" title="Out of reach. The last known state is:">
          {title} {text}
        </Banner>
      ) : (
        <Banner tone={tone} title={title} icon={tone === "good" && <CircleCheck size={16} aria-hidden />}>
          {text}
        </Banner>
      )}
      <Figures system={system} />
      <div className="stack">
        <TrafficCharts />
        <SourceTable system={system} />
        <InstanceTable system={system} />
        <div className="system-columns">
          <StoreTable system={system} />
          <div className="stack">
            <WorkerTable system={system} />
            <StreamList streams={system.streams} />
          </div>
        </div>
        <ConfigurationCard configuration={system.configuration} />
      </div>
    </>
  );
}
