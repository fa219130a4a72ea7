const days: Readonly<Record<string, string>> = {
  MO: "Mon",
  TU: "Tue",
  WE: "Wed",
  TH: "Thu",
  FR: "Fri",
  SA: "Sat",
  SU: "Sun",
};
const monthDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** A schedule in a few words, such as "Fri 18:00–23:00". `undefined` if the rule is no schedule. */
export function windowsText(rule: unknown): string | undefined {
  const { windows } = Object(rule) as { readonly windows?: unknown };
  if (!Array.isArray(windows) || windows.length === 0) return undefined;
  const [first] = windows as [Readonly<Record<string, unknown>>];
  const text = windowText(first);
  return windows.length > 1 ? `${text} +${windows.length - 1}` : text;
}

function windowText({ recurrence, from, to }: Readonly<Record<string, unknown>>): string {
  const start = typeof from === "string" ? from : "";
  const end = typeof to === "string" ? to : "";
  if (typeof recurrence !== "string") {
    if (!start) return `Until ${dateText(end)}`;
    return end ? `${dateText(start)} – ${dateText(end)}` : `From ${dateText(start)}`;
  }
  const fields = Object.fromEntries(recurrence.split(";").map((field) => field.split("=")));
  const isWholeDay = start === "00:00" && ["23:59", "24:00"].includes(end);
  const hours = (start || end) && !isWholeDay ? ` ${start}–${end}` : "";
  return `${recurring(fields)}${hours}`;
}

function recurring(fields: Readonly<Record<string, string | undefined>>): string {
  const { FREQ, BYDAY, BYMONTH, BYMONTHDAY } = fields;
  if (BYDAY === "SA,SU") return "Weekends";
  if (BYDAY === "MO,TU,WE,TH,FR") return "Weekdays";
  if (BYDAY)
    return BYDAY.split(",")
      .map((day) => days[day] ?? day)
      .join(", ");
  if (FREQ === "YEARLY" && BYMONTH && BYMONTHDAY && !/,/.test(BYMONTH + BYMONTHDAY)) {
    return monthDay.format(Date.UTC(2_000, Number(BYMONTH) - 1, Number(BYMONTHDAY)));
  }
  return { DAILY: "Daily", WEEKLY: "Weekly", MONTHLY: "Monthly", YEARLY: "Yearly" }[FREQ ?? ""] ?? "Recurring";
}

/** A date and time without its zone: "1 Dec 09:00". */
function dateText(text: string): string {
  const [, year, month, day, time] = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d))?/.exec(text) ?? [];
  if (!year) return text;
  const name = monthDay.format(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return time && time !== "00:00" ? `${name} ${time}` : name;
}
