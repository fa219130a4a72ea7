import type { Instant } from "../domain/evaluation/evaluation-context.ts";
import type { ClockSpan, TimeZone } from "../domain/targeting/wall-clock.ts";

type WithTemporal = Pick<typeof import("temporal-polyfill"), "Temporal">;
// Node.js 26 has its own Temporal, and to load the polyfill takes a twentieth of a start.
const { Temporal } =
  "Temporal" in globalThis ? (globalThis as unknown as WithTemporal) : await import("temporal-polyfill");

/** Range of JavaScript dates, less a year, so that neighbouring instants are valid too. */
const maxInstant = 8.6e15 - 366 * 86_400_000;
/** Cache limit of spans per zone: about a century. */
const maxSpans = 256;

const zones = new Map<string, TimeZone>();

/** Clock of an IANA time zone, for example `Europe/Madrid`. `undefined` for an unknown zone. */
export function timeZone(name: string): TimeZone | undefined {
  const cached = zones.get(name);
  if (cached) return cached;
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return undefined;
  try {
    spanOf(0, name);
  } catch {
    return undefined;
  }
  const zone = withCache((at) => spanOf(at, name));
  zones.set(name, zone);
  return zone;
}

/** Caches each span, because a lookup takes some microseconds. */
function withCache(zone: TimeZone): TimeZone {
  let spans: ClockSpan[] = [];
  return (at) => {
    const cached = spans.find(({ from, until }) => from <= at && at < until);
    if (cached) return cached;
    if (spans.length >= maxSpans) spans = [];
    const span = zone(at);
    spans.push(span);
    return span;
  };
}

function spanOf(at: Instant, name: string): ClockSpan {
  const instant = Math.floor(Math.max(-maxInstant, Math.min(at, maxInstant)));
  const clock = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(name);
  const next = clock.getTimeZoneTransition("next");
  const last = (next ?? clock.add({ milliseconds: 1 })).getTimeZoneTransition("previous");
  return {
    from: last?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    until: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    ahead: clock.offsetNanoseconds / 1e6,
  };
}
