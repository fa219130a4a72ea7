import { Braces, CalendarClock, Globe, MapPin, UserRound } from "lucide-react";
import type { ReactNode } from "react";
import type { Source } from "../api/sources.ts";
import { Chip } from "../ui/card.tsx";
import { counted, count as full } from "../ui/numbers.ts";
import type { Feature } from "./feature-list.ts";
import { windowsText } from "./windows-text.ts";

/** Where one source has a feature: whether it lists it, for how many users, for which locations, or by which rule. */
export type SourceEntry = Feature["on"][string];

/** Most chips of a row; the others are counted. */
const maxChips = 3;

/** Where a feature is on: a chip for each grant that has it. Struck through while nothing of it has an effect. */
export function Where({ feature, sources }: { readonly feature: Feature; readonly sources: readonly Source[] }) {
  const entries = sources
    .filter(({ role }) => role === "grant")
    .flatMap((source) => {
      const entry = feature.on[source.name];
      return entry !== undefined && isOn(entry) ? [{ source, entry }] : [];
    });
  if (entries.length === 0) return <span className="dim small">Nowhere</span>;
  const chips = entries.map(({ source, entry }) => (
    <EntryChip key={source.name} source={source} entry={entry} isAlone={entries.length === 1} />
  ));
  const shown = chips.length > maxChips ? chips.slice(0, maxChips - 1) : chips;
  const hasNoEffect = feature.state === "killed" || feature.state === "held";
  return (
    <div className={hasNoEffect ? "where without-effect" : "where"}>
      {shown}
      {chips.length > shown.length && <Chip>+{chips.length - shown.length}</Chip>}
    </div>
  );
}

/** Whether a source has the feature, for anybody. */
export function isOn(entry: SourceEntry): boolean {
  if (typeof entry === "boolean") return entry;
  if ("users" in entry) return entry.users === null || entry.users > 0;
  if ("location" in entry) return entry.location.length > 0;
  return true;
}

/** The percentage of a rule, if it has one. */
export function shareOf(entry: SourceEntry | undefined): number | undefined {
  if (typeof entry !== "object" || !("rule" in entry)) return undefined;
  const { percentage } = Object(entry.rule) as { readonly percentage?: unknown };
  return typeof percentage === "number" ? percentage : undefined;
}

function EntryChip({
  source,
  entry,
  isAlone,
}: {
  readonly source: Source;
  readonly entry: SourceEntry;
  readonly isAlone: boolean;
}): ReactNode {
  if (typeof entry === "boolean") {
    const isForAll = source.fields.length === 0 && source.key !== null && source.gatedBy.length === 0;
    return <Chip icon={<Globe size={13} aria-hidden />}>{isForAll ? "Everyone" : source.name}</Chip>;
  }
  if ("users" in entry) {
    const text = entry.users === null ? "users" : isAlone ? counted(entry.users, "user") : full(entry.users);
    return (
      <Chip icon={<UserRound size={13} aria-hidden />}>
        {text}
        {!isAlone && entry.users !== null && <span className="for-screen-readers"> users</span>}
      </Chip>
    );
  }
  if ("location" in entry) {
    const named = isAlone ? 2 : 1;
    const more = entry.location.length - named;
    const names = entry.location.slice(0, named).join(", ");
    return <Chip icon={<MapPin size={13} aria-hidden />}>{more > 0 ? `${names} +${more}` : names}</Chip>;
  }
  const share = shareOf(entry);
  if (share !== undefined) {
    return (
      <Chip>
        {share} %<span className="for-screen-readers"> of callers</span>
      </Chip>
    );
  }
  const windows = windowsText(entry.rule);
  if (windows) return <Chip icon={<CalendarClock size={13} aria-hidden />}>{windows}</Chip>;
  return <Chip icon={<Braces size={13} aria-hidden />}>{source.name}</Chip>;
}
