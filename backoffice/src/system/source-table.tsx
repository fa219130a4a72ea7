import "./source-table.css";
import { Braces, CalendarClock, DoorOpen, Layers, type LucideIcon, Percent, Rss, ShieldBan } from "lucide-react";
import { useIsEditor } from "../api/session.ts";
import { Card } from "../ui/card.tsx";
import { StateBadge } from "../ui/feature-state.tsx";
import { counted } from "../ui/numbers.ts";
import { ageText } from "./figure-text.ts";
import { ReadNow } from "./read-now.tsx";
import type { System, SystemSource } from "./system-queries.ts";
import { TableRegion } from "./table-region.tsx";

const kindIcons: Readonly<Record<string, LucideIcon>> = {
  set: Layers,
  percentage: Percent,
  schedule: CalendarClock,
  feed: Rss,
};
const roleIcons: Readonly<Record<SystemSource["role"], LucideIcon | undefined>> = {
  grant: undefined,
  gate: DoorOpen,
  veto: ShieldBan,
};

/** Whether each source is fresh, when it was last verified, and what its last error was. */
export function SourceTable({ system: { sources, at } }: { readonly system: System }) {
  const isEditor = useIsEditor();
  const canRead = isEditor && sources.some(({ feed }) => feed);
  return (
    <Card
      title="Sources"
      actions={<span className="tiny dim wide-only">in the order of the configuration</span>}
      isPadded={false}
    >
      <TableRegion label="Sources">
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col" className="wide-only">
              Kind
            </th>
            <th scope="col" className="wide-only">
              Role
            </th>
            <th scope="col">Verified</th>
            <th scope="col" className="source-table-error">
              Last error
            </th>
            {canRead && (
              <th scope="col">
                <span className="for-screen-readers">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => (
            <tr key={source.name} id={`source-${source.name}`}>
              <th scope="row">
                <Name source={source} />
              </th>
              <td className="dim wide-only">{source.kind}</td>
              <td className="dim nowrap wide-only">
                {source.role}
                {source.gatedBy.length > 0 && <span className="tiny"> behind {source.gatedBy.join(", ")}</span>}
              </td>
              <td>
                <Freshness source={source} at={at} />
              </td>
              <td>
                <LastError source={source} at={at} />
              </td>
              {canRead && <td className="source-table-action">{source.feed && <ReadNow source={source.name} />}</td>}
            </tr>
          ))}
        </tbody>
      </TableRegion>
    </Card>
  );
}

function Name({ source: { name, label, kind, role, reads } }: { readonly source: SystemSource }) {
  const Icon = roleIcons[role] ?? kindIcons[kind] ?? Braces;
  return (
    <span className="row">
      <Icon size={16} className="dim" aria-hidden />
      <span className="column">
        <span>{label ?? name}</span>
        {(label !== null || reads !== null) && (
          <span className="tiny dim source-table-reads">{[label && name, reads].filter(Boolean).join(", ")}</span>
        )}
      </span>
    </span>
  );
}

function Freshness({ source: { state, stale, asOf }, at }: { readonly source: SystemSource; readonly at: string }) {
  const badge =
    state === "unavailable" ? (
      <StateBadge state="killed" text="unavailable" />
    ) : state === "skipped" ? (
      <StateBadge state="unknown" text="skipped" />
    ) : stale ? (
      <StateBadge state="unknown" text="stale" />
    ) : (
      <StateBadge state="on" text="fresh" />
    );
  return (
    <span className="row nowrap">
      {badge}
      <span className="tiny dim num">{asOf === null ? "read for each caller" : ageText(at, asOf)}</span>
    </span>
  );
}

function LastError({ source, at }: { readonly source: SystemSource; readonly at: string }) {
  const { error, lastError, failures, feed, faults } = source;
  const failure = error ?? feed?.failure ?? null;
  const isPaused = feed !== null && feed.breaker !== "closed";
  return (
    <div className="column source-table-errors">
      {failure !== null && <span>{failure}</span>}
      {failure === null && lastError && (
        <span className="dim">
          {lastError.message} <span className="tiny num nowrap">{ageText(at, lastError.at)}</span>
        </span>
      )}
      {failure === null && !lastError && faults.length === 0 && <span className="dim">none</span>}
      {(failures > 0 || isPaused) && (
        <span className="tiny dim num">
          {failures > 0 && `${counted(failures, "failure")} since the start`}
          {failures > 0 && isPaused && ", "}
          {isPaused && "polls are paused"}
        </span>
      )}
      {faults.length > 0 && (
        <details>
          <summary>{counted(faults.length, "fault")} in its data</summary>
          <ul>
            {faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
