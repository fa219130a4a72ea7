import type { Instant } from "../evaluation/evaluation-context.ts";

/** What a clock on a wall shows: milliseconds since it showed 1970-01-01T00:00. */
export type LocalTime = number;

/** Days since 1970-01-01, on a calendar without a zone. */
export type Day = number;

export const dayMs = 86_400_000;

/** A time, `[from, until)`, in which the clocks of a zone are ahead of UTC by the same, in milliseconds. */
export type ClockSpan = { readonly from: Instant; readonly until: Instant; readonly ahead: number };

/** The clocks of a zone: the span in which an instant lies. */
export type TimeZone = (at: Instant) => ClockSpan;

/** More than any clock was ever ahead of UTC. */
const farthestAheadMs = dayMs;

/**
 * The first moment at which a clock of the zone shows a time, or has gone over it: where clocks are turned back, the first of the two;
 * where they are turned forward over it, the moment at which they are. So a later time is never an earlier moment.
 */
export function instantOf(local: LocalTime, zone: TimeZone): Instant {
  for (let span = zone(local - farthestAheadMs); ; span = zone(span.until)) {
    const instant = Math.max(local - span.ahead, span.from);
    if (instant < span.until) return instant;
  }
}

/** What the calendar of the zone shows. */
export const dayAt = (at: Instant, zone: TimeZone): Day => Math.floor((at + zone(at).ahead) / dayMs);
