import { Braces, CalendarClock, Globe, MapPin, UserRound } from "lucide-react";
import type { ReactNode } from "react";
import type { Source } from "../api/sources.ts";
import { Chip } from "../ui/card.tsx";
import { counted, count as full } from "../ui/numbers.ts";
import type { Feature } from "./feature-list.ts";
import { windowsText } from "./windows-text.ts";

type Place = Feature["on"][string];

/** Most chips of a row; the others are counted. */
const maxChips = 3;

/** Where a feature is on: a chip for each grant that has it. Struck through while nothing of it has an effect. */
export function Where({ feature, sources }: { readonly feature: Feature; readonly sources: readonly Source[] }) {
  const places = sources
    .filter(({ role }) => role === "grant")
    .flatMap((source) => {
      const place = feature.on[source.name];
      return place !== undefined && isOn(place) ? [{ source, place }] : [];
    });
  if (places.length === 0) return <span className="dim small">Nowhere</span>;
  const chips = places.map(({ source, place }) => (
    <PlaceChip key={source.name} source={source} place={place} isAlone={places.length === 1} />
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
export function isOn(place: Place): boolean {
  if (typeof place === "boolean") return place;
  if ("users" in place) return place.users === null || place.users > 0;
  if ("location" in place) return place.location.length > 0;
  return true;
}

/** The percentage of a rule, if it has one. */
export function shareOf(place: Place | undefined): number | undefined {
  if (typeof place !== "object" || !("rule" in place)) return undefined;
  const { percentage } = Object(place.rule) as { readonly percentage?: unknown };
  return typeof percentage === "number" ? percentage : undefined;
}

function PlaceChip({
  source,
  place,
  isAlone,
}: {
  readonly source: Source;
  readonly place: Place;
  readonly isAlone: boolean;
}): ReactNode {
  if (typeof place === "boolean") {
    const isForAll = source.fields.length === 0 && source.key !== null && source.gatedBy.length === 0;
    return <Chip icon={<Globe size={13} aria-hidden />}>{isForAll ? "Everyone" : source.name}</Chip>;
  }
  if ("users" in place) {
    const text = place.users === null ? "users" : isAlone ? counted(place.users, "user") : full(place.users);
    return (
      <Chip icon={<UserRound size={13} aria-hidden />}>
        {text}
        {!isAlone && place.users !== null && <span className="for-screen-readers"> users</span>}
      </Chip>
    );
  }
  if ("location" in place) {
    const named = isAlone ? 2 : 1;
    const more = place.location.length - named;
    const names = place.location.slice(0, named).join(", ");
    return <Chip icon={<MapPin size={13} aria-hidden />}>{more > 0 ? `${names} +${more}` : names}</Chip>;
  }
  const share = shareOf(place);
  if (share !== undefined) {
    return (
      <Chip>
        {share} %<span className="for-screen-readers"> of callers</span>
      </Chip>
    );
  }
  const windows = windowsText(place.rule);
  if (windows) return <Chip icon={<CalendarClock size={13} aria-hidden />}>{windows}</Chip>;
  return <Chip icon={<Braces size={13} aria-hidden />}>{source.name}</Chip>;
}
