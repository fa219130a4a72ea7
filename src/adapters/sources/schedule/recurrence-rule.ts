/** A recurrence rule (RFC 5545, RRULE), limited to days. */
export type RecurrenceRule = {
  readonly frequency: "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";
  /** Number of occurrences; unlimited if absent. */
  readonly count?: number;
  /** Last possible day, such as 2026-11-17. */
  readonly until?: string;
  /** The rule without `COUNT` and `UNTIL`. */
  readonly endless: string;
  /** Whether its days depend on the start day. */
  readonly isCounted: boolean;
};

const maxRuleLength = 500;
const frequencies = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"] as const;

const weekday = "(?:MO|TU|WE|TH|FR|SA|SU)";
const upTo53 = "(?:[1-9]|[1-4][0-9]|5[0-3])";
const upTo366 = "(?:[1-9][0-9]?|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])";
const listOf = (one: string): RegExp => new RegExp(`^${one}(?:,${one})*$`);

/** Pattern of each part, and its format for messages. */
const parts: ReadonlyMap<string, readonly [RegExp, string]> = new Map([
  ["FREQ", [new RegExp(`^(?:${frequencies.join("|")})$`), `one of ${frequencies.join(", ")}`]],
  ["INTERVAL", [/^[1-9][0-9]{0,2}$/, "1 to 999"]],
  ["COUNT", [/^[1-9][0-9]{0,2}$/, "1 to 999"]],
  ["UNTIL", [/^[0-9]{8}$/, "the last day, for example 20261231, or an instant, for example 20261231T225959Z"]],
  [
    "BYDAY",
    [listOf(`(?:[+-]?${upTo53})?${weekday}`), "days of the week, for example MO,FR, or 1MO and -1FR within a month"],
  ],
  ["BYMONTHDAY", [listOf("[+-]?(?:[1-9]|[12][0-9]|3[01])"), "days of the month, 1 to 31, or -1 for the last"]],
  ["BYYEARDAY", [listOf(`[+-]?${upTo366}`), "days of the year, 1 to 366, or -1 for the last"]],
  ["BYWEEKNO", [listOf(`[+-]?${upTo53}`), "weeks of the year, 1 to 53"]],
  ["BYMONTH", [listOf("(?:[1-9]|1[0-2])"), "months, 1 to 12"]],
  ["BYSETPOS", [listOf(`[+-]?${upTo366}`), "positions, 1 to 366, or -1 for the last"]],
  ["WKST", [new RegExp(`^${weekday}$`), "the day on which weeks begin, for example MO"]],
]);

const fixedDays = ["BYDAY", "BYMONTHDAY", "BYYEARDAY"];

/**
 * Parses a rule in upper case, such as `FREQ=WEEKLY;BYDAY=FR`. Returns the fault and the fix of an invalid rule as
 * text. Does not check whether the rule ever occurs.
 */
export function recurrenceRule(text: string): RecurrenceRule | string {
  if (text.length > maxRuleLength) return `is longer than ${maxRuleLength} characters; split it into several windows`;
  const values = new Map<string, string>();
  for (const part of text.split(";")) {
    const [name = "", value = "", ...more] = part.split("=");
    const fault = more.length > 0 ? unknownPart(part) : partFault(name, value);
    if (fault !== undefined) return fault;
    if (values.has(name)) return `contains ${name} twice; remove one`;
    values.set(name, value);
  }
  const frequency = frequencies.find((one) => one === values.get("FREQ"));
  if (!frequency) return "has no FREQ; add one, for example FREQ=WEEKLY;BYDAY=FR";
  const { COUNT: count, UNTIL: until, ...endless } = Object.fromEntries(values);
  if (count && until) return "contains both COUNT and UNTIL; remove one";
  const lastDay = until?.replace(/^(....)(..)(..)$/, "$1-$2-$3");
  if (lastDay && !isDate(lastDay)) return `contains the invalid date UNTIL=${until} (expected a date such as 20261231)`;
  return {
    frequency,
    ...(count ? { count: Number(count) } : {}),
    ...(lastDay ? { until: lastDay } : {}),
    endless: Object.entries(endless)
      .map(([name, value]) => `${name}=${value}`)
      .join(";"),
    isCounted:
      count !== undefined ||
      (values.get("INTERVAL") ?? "1") !== "1" ||
      (frequency !== "DAILY" && !fixedDays.some((name) => values.has(name))),
  };
}

/** Whether a text such as 2026-11-17 is a day of the calendar. */
export function isDate(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function partFault(name: string, value: string): string | undefined {
  if (/^BY(HOUR|MINUTE|SECOND)$/.test(name))
    return `contains ${name}, which is unsupported; set the time of day with from and to`;
  if (name === "FREQ" && /^(HOURLY|MINUTELY|SECONDLY)$/.test(value)) {
    return `contains FREQ=${value}, which is more than once a day; use FREQ=DAILY, with a window for each time of day`;
  }
  const [pattern, fix] = parts.get(name) ?? [];
  if (!pattern) return unknownPart(name);
  return pattern.test(value) ? undefined : `contains the invalid part ${name}=${value} (expected ${fix})`;
}

const unknownPart = (part: string): string =>
  `contains the unknown part ${JSON.stringify(part)} (expected FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYMONTH, BYSETPOS or WKST, separated by semicolons, for example FREQ=WEEKLY;BYDAY=FR)`;
