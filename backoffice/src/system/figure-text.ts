import { briefly } from "../ui/numbers.ts";
import { durationText } from "../ui/time.tsx";

const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const coarse = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const megabyte = 1_000_000;

/** A rate, such as "21.4 k". */
export const perSecond = (value: number): string => briefly(value);

/** A duration of a request, such as "0.84 ms". */
export const milliseconds = (value: number): string => `${(value < 1 ? fine : coarse).format(value)} ms`;

/** A ratio from 0 to 1, such as "99.2 %". */
export const percent = (ratio: number): string => `${coarse.format(ratio * 100)} %`;

/** An amount of memory, such as "212 MB". */
export const memory = (bytes: number): string => `${Math.round(bytes / megabyte)} MB`;

/** The age of an instant at another one, both by the clock of the service, such as "0.3 s ago". */
export function ageText(now: string, at: string): string {
  const age = Math.max(0, Date.parse(now) - Date.parse(at));
  if (age < 50) return "now";
  return `${age < 1_000 ? `${coarse.format(age / 1_000)} s` : durationText(age)} ago`;
}
