import { useSyncExternalStore } from "react";

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A duration in its largest unit, such as "14 min". */
export function durationText(milliseconds: number): string {
  const [unit, length] = units.find(([, atLeast]) => milliseconds >= atLeast) ?? ["s", 1_000];
  return `${Math.floor(Math.max(0, milliseconds) / length)} ${unit}`;
}

const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const dayYearAndTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const dayOnly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** A time of day with seconds, in the zone of the browser. */
export const clock = (at: Date): string => clockTime.format(at);

/** A day and time, such as "17 Nov, 14:18"; with its year, if that is another one. */
export const dayTime = (at: Date): string =>
  (at.getFullYear() === new Date().getFullYear() ? dayAndTime : dayYearAndTime).format(at);

/** A day, such as "3 Mar 2026". */
export const day = (at: Date): string => dayOnly.format(at);

/** How long ago something was, kept up to date. The exact time with its zone is its title. */
export function Ago({ at }: { readonly at: string | Date }) {
  const instant = new Date(at);
  const age = useNow() - instant.getTime();
  return (
    <time className="num" dateTime={instant.toISOString()} title={exact.format(instant)}>
      {age < 5_000 ? "now" : `${durationText(age)} ago`}
    </time>
  );
}

let now = Date.now();
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

function follow(listener: () => void): () => void {
  listeners.add(listener);
  if (ticking === undefined) now = Date.now();
  ticking ??= setInterval(() => {
    now = Date.now();
    for (const notify of listeners) notify();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

/** The present, in milliseconds; renders again every 10 s. */
export const useNow = (): number => useSyncExternalStore(follow, () => now);
