import type { Instant } from "../evaluation/evaluation-context.ts";

/** Local time: the time on a clock, in milliseconds since its 1970-01-01T00:00. */
export type LocalTime = number;

/** Days since 1970-01-01, on a calendar without a time zone. */
export type Day = number;

export const dayMs = 86_400_000;

/** Span `[from, until)` in which the offset of a zone from UTC, `ahead`, is constant, in milliseconds. */
export type ClockSpan = { readonly from: Instant; readonly until: Instant; readonly ahead: number };

/** A time zone: returns the span of an instant. */
export type TimeZone = (at: Instant) => ClockSpan;

/** More than the largest offset of any zone from UTC. */
const maxAheadMs = dayMs;

/**
 * The first instant at which a clock of the zone shows a local time or a later one. If the clock is turned back, it is
 * the first of two. If the time is skipped, it is the instant of the change. So a later local time is never an earlier
 * instant.
 */
export function instantOf(local: LocalTime, zone: TimeZone): Instant {
  for (let span = zone(local - maxAheadMs); ; span = zone(span.until)) {
    const instant = Math.max(local - span.ahead, span.from);
    if (instant < span.until) return instant;
  }
}

/** The calendar day of an instant in the zone. */
export const dayAt = (at: Instant, zone: TimeZone): Day => Math.floor((at + zone(at).ahead) / dayMs);
