import { Braces, CalendarClock, Globe, MapPin, UserRound } from "lucide-react";
import type { ReactNode } from "react";
import type { Source } from "../api/sources.ts";
import { Chip } from "../ui/card.tsx";
import { counted, count as full } from "../ui/numbers.ts";
import { isHeld, isOn, type SourceEntry, shareOf } from "./feature-audience.ts";
import type { Feature } from "./feature-list.ts";
import { windowsText } from "./windows-text.ts";

/** Most chips of a row; the others are counted. */
const maxChips = 3;

/** Where a feature is on: a chip for each grant that has it. Struck through while a kill or a closed gate holds it. */
export function Where({ feature, sources }: { readonly feature: Feature; readonly sources: readonly Source[] }) {
  const entries = sources
    .filter(({ role }) => role === "grant")
    .flatMap((source) => {
      const entry = feature.on[source.name];
      return entry !== undefined && isOn(entry) ? [{ source, entry }] : [];
    });
  if (entries.length === 0) return <span className="dim small">Nowhere</span>;
  const chips = entries.map(({ source, entry }) => (
    <span
      key={source.name}
      className={feature.state === "killed" || isHeld(feature, source, sources) ? "without-effect" : ""}
    >
      <EntryChip source={source} entry={entry} isAlone={entries.length === 1} />
    </span>
  ));
  const shown = chips.length > maxChips ? chips.slice(0, maxChips - 1) : chips;
  return (
    <div className="where">
      {shown}
      {chips.length > shown.length && <Chip>+{chips.length - shown.length}</Chip>}
    </div>
  );
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
