import "./figures.css";
import { count, counted } from "../ui/numbers.ts";
import { ageText, milliseconds, percent, perSecond } from "./figure-text.ts";
import type { System } from "./system-queries.ts";

/** The five numbers that tell how an instance is: its traffic of the last minute, and what is open or waits now. */
export function Figures({ system }: { readonly system: System }) {
  const { traffic, workers, stores, streams, eventLog, at } = system;
  const keys = stores.flatMap(({ caches }) => caches).reduce((sum, cache) => sum + cache.keys, 0);
  const entries = eventLog.waiting.map((store) => store.entries);
  const oldest = eventLog.waiting.flatMap((store) => store.oldest ?? []).sort()[0];
  const isUnknown = entries.includes(null);
  const waiting = entries.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  return (
    <ul className="figures" aria-label="Figures">
      <Figure
        name="Requests"
        isOfMinute
        value={`${perSecond(traffic.requestsPerSecond)}/s`}
        detail={`${perSecond(traffic.evaluationsPerSecond)}/s evaluations, ${counted(workers.length, "worker")}`}
      />
      <Figure
        name="Latency p99"
        isOfMinute
        value={traffic.p99Ms === null ? "none" : milliseconds(traffic.p99Ms)}
        detail={traffic.p50Ms === null ? "no evaluation measured" : `p50 ${milliseconds(traffic.p50Ms)}`}
      />
      <Figure
        name="Cache hits"
        isOfMinute
        value={traffic.hitRate === null ? "none" : percent(traffic.hitRate)}
        detail={`${counted(keys, "key")} cached`}
      />
      <Figure
        name="Open streams"
        value={count(traffic.streams)}
        detail={`of clients; ${count(streams["events"] ?? 0)} of operators`}
      />
      <Figure
        name="Outbox backlog"
        value={isUnknown ? "unknown" : count(waiting)}
        detail={`${oldest ? `oldest ${ageText(at, oldest)}` : "none waits"}, ${counted(eventLog.deadLetters, "dead letter")}`}
      />
    </ul>
  );
}

const Figure = ({
  name,
  isOfMinute = false,
  value,
  detail,
}: {
  readonly name: string;
  /** Whether it is a figure of the last minute, and not of now. */
  readonly isOfMinute?: boolean;
  readonly value: string;
  readonly detail: string;
}) => (
  <li className="card figure">
    <span className="row tiny dim figure-name">
      <span>{name}</span>
      <span className="push">{isOfMinute ? "last minute" : "now"}</span>
    </span>
    <b className="num">{value}</b>
    <span className="tiny dim num">{detail}</span>
  </li>
);
