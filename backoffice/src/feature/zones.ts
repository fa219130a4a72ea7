const dayMs = 86_400_000;

/** The time zone of the browser. */
export const zoneOfBrowser = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The time zones of a schedule, then that of the browser, then UTC. Unknown ones are left out. */
export function zonesOf(rule: unknown): readonly [string, ...string[]] {
  const { windows } = Object(rule) as { readonly windows?: unknown };
  const named = Array.isArray(windows) ? windows.map((window) => Object(window).timeZone as unknown) : [];
  const zones = new Set([...named, zoneOfBrowser()].filter((zone) => typeof zone === "string").filter(isZone));
  const [first = "UTC", ...others] = [...zones.difference(new Set(["UTC"])), "UTC"];
  return [first, ...others];
}

/** The starts of the days of a week, and its end: eight instants. The week begins some weeks after today. */
export function weekOf(now: number, zone: string, weeksAhead: number): readonly number[] {
  const today = Math.floor((now + aheadOf(now, zone)) / dayMs) + 7 * weeksAhead;
  return Array.from({ length: 8 }, (_, index) => startOf(today + index, zone));
}

/** Formats in a zone: a day such as "Fri 20", a time such as "18:00", and "Fri 20 Nov, 18:00". */
export function formatsOf(timeZone: string) {
  const time = { hour: "2-digit", minute: "2-digit", timeZone } as const;
  const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", timeZone });
  const date = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone });
  const clock = new Intl.DateTimeFormat("en-GB", time);
  const dayTime = (at: number) => `${date.format(at).replace(",", "")}, ${clock.format(at)}`;
  return {
    weekday: (at: number) => weekday.format(at),
    day: (at: number) => day.format(at),
    time: (at: number) => clock.format(at),
    dayTime,
    /** A span; a time of the same day, or the next midnight, is without its day. */
    span: (from: number, to: number) => {
      const isOneDay = date.format(from) === date.format(to - 1);
      const end = isOneDay ? clock.format(to).replace("00:00", "24:00") : dayTime(to);
      return `${dayTime(from)} – ${end}`;
    },
  };
}

export type Formats = ReturnType<typeof formatsOf>;

function isZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** The first instant of a day, counted from 1970. */
function startOf(day: number, zone: string): number {
  const local = day * dayMs;
  return local - aheadOf(local - aheadOf(local, zone), zone);
}

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
function aheadOf(at: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone });
  return Date.parse(`${format.format(at).replace(" ", "T")}Z`) - Math.floor(at / 1_000) * 1_000;
}
