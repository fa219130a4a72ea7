import "./source-table.css";
import {
  ArrowRight,
  Braces,
  CalendarClock,
  Check,
  DoorOpen,
  Globe,
  MapPin,
  Percent,
  ShieldBan,
  UserRound,
} from "lucide-react";
import type { ReactNode } from "react";
import { useIsEditor } from "../api/session.ts";
import { everyoneSourceOf, holdersTabOf, isSwitchedGate, type Source } from "../api/sources.ts";
import { isHeld, isOn, type SourceEntry, shareOf } from "../features/feature-audience.ts";
import type { ViewedFeature } from "../features/feature-list.ts";
import { windowsText } from "../features/windows-text.ts";
import { setQuery } from "../routing/location.ts";
import { authorName } from "../ui/author-name.ts";
import { Button } from "../ui/button.tsx";
import { Card, Chip, Dot } from "../ui/card.tsx";
import { count, counted } from "../ui/numbers.ts";
import { Ago } from "../ui/time.tsx";
import { SourceSwitch } from "./source-switch.tsx";

type Status = ViewedFeature["sources"][number];

const roles = [
  { role: "grant", name: "Grants", meaning: "Any one of these switches it on" },
  { role: "gate", name: "Gates", meaning: "A grant behind a gate needs it open" },
  { role: "veto", name: "Vetoes", meaning: "Any one of these switches it off for everyone" },
] as const;

/** Every source side by side, in the order in which they decide: what it says of the feature, and its control. */
export function SourceTable({
  feature,
  sources,
}: {
  readonly feature: ViewedFeature;
  readonly sources: readonly Source[];
}) {
  const everyone = everyoneSourceOf(sources);
  return (
    <Card title="Where it is on" isPadded={false}>
      {roles.map(({ role, name, meaning }) => {
        const ofRole = sources.filter((source) => source.role === role);
        if (ofRole.length === 0) return null;
        return (
          <section key={role} aria-label={name}>
            <h3 className="source-table-role">
              {name} <span className="dim">{meaning}</span>
            </h3>
            <ul className="source-table">
              {ofRole.map((source) => (
                <SourceRow
                  key={source.name}
                  feature={feature}
                  source={source}
                  isEveryone={source === everyone}
                  hasNoEffect={role === "grant" && (feature.killed || isHeld(feature, source, sources))}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </Card>
  );
}

type Row = {
  readonly feature: ViewedFeature;
  readonly source: Source;
  /** Whether it is the grant for everyone. */
  readonly isEveryone: boolean;
  /** Whether a kill or a closed gate holds what it has. */
  readonly hasNoEffect: boolean;
};

function SourceRow(row: Row) {
  const { feature, source, hasNoEffect } = row;
  const status = feature.sources.find((each) => each.source === source.name);
  const entry = feature.on[source.name];
  const isListed = entry !== undefined && isOn(entry);
  return (
    <li className="source-table-row">
      <SourceIcon source={source} entry={entry} />
      <span className="column source-table-name">
        <span className="strong small">{source.name}</span>
        <span className="tiny dim">{kindText(source)}</span>
      </span>
      <span className={hasNoEffect && isListed ? "grow source-table-struck" : "grow"}>
        <EntryText entry={entry} source={source} />
      </span>
      {status && <Freshness status={status} />}
      <LastChange change={status?.lastChange} isNever={!isListed && feature.lastChange !== null} />
      <Control {...row} entry={entry} />
    </li>
  );
}

/** Kinds whose name is often that of the source, too. */
const kindNames: Readonly<Record<string, string>> = { percentage: "share of callers", schedule: "windows" };

function kindText({ name, kind, key, fields, gatedBy, role }: Source): string {
  const per = fields[0] === "userId" ? "user" : fields[0];
  const of = key === null ? (kindNames[kind] ?? kind) : per && per !== name ? `set per ${per}` : "set";
  if (role === "veto" && key !== null && !per) return "set, kill switch";
  if (role === "grant" && key !== null && !per && gatedBy.length === 0) return "set, everyone";
  if (role !== "grant") return of;
  return gatedBy.length > 0 ? `${of}, behind gate ${gatedBy.join(", ")}` : of;
}

function EntryText({ entry, source }: { readonly entry: SourceEntry | undefined; readonly source: Source }): ReactNode {
  if (entry === undefined) return <span className="dim small">{source.key === null ? "No rule" : "Not listed"}</span>;
  if (typeof entry === "boolean") {
    if (source.role === "gate" && entry) {
      return (
        <span className="row small strong state-text-on">
          <Check size={15} aria-hidden />
          Open
        </span>
      );
    }
    if (source.role === "gate") return <span className="small">Closed</span>;
    if (source.role === "veto") {
      return (
        <span className={entry ? "small strong state-text-killed" : "small dim"}>
          {entry ? "Killed" : "Not killed"}
        </span>
      );
    }
    return <span className={entry ? "small strong" : "small dim"}>{entry ? "Listed" : "Not listed"}</span>;
  }
  if ("users" in entry && entry.users === 0) return <span className="dim small">No user</span>;
  if ("users" in entry)
    return (
      <span className="small strong">{entry.users === null ? "Users, not counted" : counted(entry.users, "user")}</span>
    );
  if ("location" in entry) {
    if (entry.location.length === 0) return <span className="dim small">No location</span>;
    return (
      <span className="row wrap source-table-chips">
        {entry.location.slice(0, 6).map((location) => (
          <Chip key={location}>{location}</Chip>
        ))}
        {entry.location.length > 6 && <Chip>+{count(entry.location.length - 6)}</Chip>}
      </span>
    );
  }
  const share = shareOf(entry);
  if (share !== undefined) {
    return (
      <span className="row small strong">
        {share} %
        <meter min={0} max={100} value={share} aria-label={`${share} % of callers`} className="source-table-share" />
      </span>
    );
  }
  const windows = windowsText(entry.rule);
  return <span className={windows ? "small strong state-text-scheduled" : "small"}>{windows ?? "Has a rule"}</span>;
}

/** When the feature was changed in a source, and by whom. */
const LastChange = ({
  change,
  isNever,
}: {
  readonly change: Status["lastChange"] | undefined;
  /** Whether it never was: the log has changes of the feature, and the source does not have it. */
  readonly isNever: boolean;
}) => (
  <span className="column tiny source-table-changed">
    {change ? (
      <>
        <Ago at={change.at} />
        <span className="dim ellipsis">{authorName(change.by)}</span>
      </>
    ) : (
      isNever && <span className="dim">never</span>
    )}
  </span>
);

/** Whether the results of a source are up to date. */
function Freshness({ status: { state, stale, asOf } }: { readonly status: Status }) {
  const isFresh = state === "evaluated" && !stale;
  return (
    <span className={`row tiny source-table-fresh ${isFresh ? "dim" : "stale"}`}>
      <Dot tone={isFresh ? "good" : "warn"} />
      {isFresh ? "fresh" : state === "evaluated" ? "stale" : "unavailable"}
      {!isFresh && asOf !== null && (
        <>
          , read <Ago at={asOf} />
        </>
      )}
    </span>
  );
}

const tabNames = { users: "Users", locations: "Locations" } as const;

/** What can be changed has a button; a source that is only read has none. */
function Control({
  feature,
  source,
  isEveryone,
  entry,
}: Omit<Row, "hasNoEffect"> & { readonly entry: SourceEntry | undefined }) {
  const isEditor = useIsEditor();
  const name = `${source.name}: ${feature.feature}`;
  const tab = holdersTabOf(source);
  if (tab) {
    return (
      <Button
        isCompact
        aria-label={`${tabNames[tab]} with ${feature.feature}, source ${source.name}`}
        onClick={() => setQuery({ tab })}
      >
        {tabNames[tab]}
        <ArrowRight size={14} aria-hidden />
      </Button>
    );
  }
  if (isEditor && (isEveryone || isSwitchedGate(source))) {
    const isIn = entry === true;
    const act = isEveryone ? (isIn ? "Remove" : "Add") : isIn ? "Close gate" : "Open gate";
    return (
      <SourceSwitch feature={feature.feature} source={source}>
        {(change) => (
          <Button
            isCompact
            isChange
            disabled={isEveryone && feature.killed}
            aria-label={`${act} ${name}`}
            onClick={() => change(!isIn)}
          >
            {act}
          </Button>
        )}
      </SourceSwitch>
    );
  }
  if (!isEditor || source.rules === null) return <span className="source-table-control" />;
  const act = entry === undefined ? "Add" : "Edit";
  return (
    <Button isCompact isChange aria-label={`${act} ${name}`} onClick={() => setQuery({ edit: source.name })}>
      {act}
    </Button>
  );
}

function SourceIcon({ source, entry }: { readonly source: Source; readonly entry: SourceEntry | undefined }) {
  const Icon = iconOf(source, entry);
  return <Icon size={16} className="dim" aria-hidden />;
}

function iconOf({ role, kind, fields, key }: Source, entry: SourceEntry | undefined) {
  if (role === "gate") return DoorOpen;
  if (role === "veto") return ShieldBan;
  if (fields.includes("userId")) return UserRound;
  if (fields.includes("location")) return MapPin;
  if (key !== null) return Globe;
  if (kind === "percentage" || shareOf(entry) !== undefined) return Percent;
  return kind === "schedule" ? CalendarClock : Braces;
}
