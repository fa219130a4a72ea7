import { useQuery } from "@tanstack/react-query";
import { ErrorNote } from "../../ui/error-note.tsx";
import { briefly } from "../../ui/numbers.ts";
import { clock } from "../../ui/time.tsx";
import { milliseconds, perSecond } from "../figure-text.ts";
import { historyQuery, type Traffic } from "../system-queries.ts";
import { ChartCard } from "./chart-card.tsx";

const axisNumber = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const noPoints: readonly Traffic[] = [];

/** The traffic of the last hour. */
export function TrafficCharts() {
  const { data: points = noPoints, error, isPending, refetch } = useQuery(historyQuery);
  if (error && points.length === 0) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  const times = points.map(({ start }) => Date.parse(start) / 1_000);
  const waiting = isPending ? "Loading the last hour." : "The chart begins with two points of 15 seconds.";
  return (
    <div className="system-columns">
      <ChartCard
        title="Requests per second"
        times={times}
        lines={[
          { name: "all", color: "--partial", isFilled: true, values: points.map((point) => point.requestsPerSecond) },
          {
            name: "evaluations",
            color: "--on",
            isDashed: true,
            values: points.map((point) => point.evaluationsPerSecond),
          },
        ]}
        summary={requestsSummary(points)}
        waiting={waiting}
        format={briefly}
      />
      <ChartCard
        title="Latency, ms"
        times={times}
        lines={[
          { name: "p50", color: "--on", values: points.map(({ p50Ms }) => p50Ms) },
          { name: "p99", color: "--unknown", isDashed: true, values: points.map(({ p99Ms }) => p99Ms) },
        ]}
        summary={latencySummary(points)}
        waiting={waiting}
        format={(value) => axisNumber.format(value)}
      />
    </div>
  );
}

function requestsSummary(points: readonly Traffic[]): string {
  const last = points.at(-1);
  if (!last) return "No request is measured yet.";
  const rates = points.map((point) => point.requestsPerSecond);
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map(perSecond);
  const latest = `${perSecond(last.requestsPerSecond)} in the last 15 seconds`;
  return `Between ${least} and ${most} requests per second in the last hour, ${latest}.`;
}

/** The latency of evaluations. Other requests, such as those of this page, are only counted. */
function latencySummary(points: readonly Traffic[]): string {
  const slowest = points.reduce<Traffic | undefined>(
    (worst, point) => ((point.p99Ms ?? -1) > (worst?.p99Ms ?? -1) ? point : worst),
    undefined,
  );
  const last = points.findLast(({ p99Ms }) => p99Ms !== null);
  if (!slowest || slowest.p99Ms === null || !last || last.p99Ms === null) {
    return "Only evaluations have a latency, and the last hour had none.";
  }
  const highest = `Highest p99 ${milliseconds(slowest.p99Ms)} at ${clock(new Date(slowest.start))}`;
  return `${highest}; last p99 ${milliseconds(last.p99Ms)}, p50 ${milliseconds(last.p50Ms ?? 0)}.`;
}
