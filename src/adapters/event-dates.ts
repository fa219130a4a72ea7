import { z } from "zod";
import type { Instant } from "../domain/evaluation-context.ts";

const dayMs = 86_400_000;
const instant = z.iso.datetime({ offset: true });
const day = z.iso.date();

/** How a date or an instant is written. */
export const dateForms = "MM-DD-YYYY, as in 04-16-2021, or RFC 3339, as in 2021-04-16T09:30:00Z";

/** The instant that is written, or at which the day that is written begins (UTC); `undefined` where it is neither. */
export const startOf = (text: string): Instant | undefined => instantOf(text) ?? dayOf(text);

/** The instant that is written, or at which the day that is written is over (UTC); `undefined` where it is neither. */
export function endOf(text: string): Instant | undefined {
  const start = dayOf(text);
  return start === undefined ? instantOf(text) : start + dayMs;
}

const instantOf = (text: string): Instant | undefined =>
  instant.safeParse(text).success ? Date.parse(text) : undefined;

function dayOf(text: string): Instant | undefined {
  const [, month, date, year] = /^(\d\d)-(\d\d)-(\d{4})$/.exec(text) ?? [];
  const written = `${year}-${month}-${date}`;
  return day.safeParse(written).success ? Date.parse(`${written}T00:00:00Z`) : undefined;
}
