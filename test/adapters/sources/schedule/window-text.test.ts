import { describe, expect, it } from "vitest";
import { parseWindow, WindowFault, type WindowText } from "../../../../src/adapters/sources/schedule/window-text.ts";
import { intervalAt } from "../../../../src/domain/targeting/schedule.ts";

const iso = (at: number): string =>
  Number.isFinite(at) ? new Date(at).toISOString().replace(":00.000Z", "Z") : String(at);

/** The windows of a text between two instants, each with start and end. */
function openings(text: WindowText, from: string, to: string): string[] {
  const { schedule } = parseWindow(text);
  const open: string[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); ) {
    const spell = intervalAt(schedule(at), at);
    if (spell.on) open.push(`${iso(spell.from)}/${iso(spell.until)}`);
    at = spell.until;
  }
  return open;
}

const faultOf = (text: WindowText): string => {
  try {
    parseWindow(text);
  } catch (cause) {
    if (cause instanceof WindowFault) return `${cause.field} ${cause.message}`;
    throw cause;
  }
  return "none";
};

const madrid = { timeZone: "Europe/Madrid" };
const utc = { timeZone: "UTC" };

describe("A single window", () => {
  it("starts and ends at its instants, in any zone", () => {
    const text = { startsAt: "2026-11-20T18:00:00+01:00", endsAt: "2026-11-20T22:00:00Z" };
    expect(openings(text, "2026-11-19T00:00Z", "2026-11-22T00:00Z")).toEqual(["2026-11-20T17:00Z/2026-11-20T22:00Z"]);
  });

  it("can use local times of a zone", () => {
    const text = { startsAt: "2026-03-28T22:00", endsAt: "2026-03-29T06:00:30", ...madrid };
    expect(openings(text, "2026-03-01T00:00Z", "2026-04-01T00:00Z")).toEqual([
      "2026-03-28T21:00Z/2026-03-29T04:00:30.000Z",
    ]);
  });

  it("never ends without an end", () => {
    const text = { startsAt: "2026-11-20T18:00Z" };
    expect(openings(text, "2026-11-19T00:00Z", "2026-11-22T00:00Z")).toEqual(["2026-11-20T18:00Z/Infinity"]);
  });

  it.each<[string, WindowText]>([
    ["startsAt is missing; set the start of the window, or recurrence with from and to", {}],
    [
      "startsAt is an invalid time (expected 2026-11-20T18:00:00Z, or 2026-11-20T18:00 with timeZone)",
      { startsAt: "20 November 2026" },
    ],
    [
      "startsAt is an invalid time (expected 2026-11-20T18:00:00Z, or 2026-11-20T18:00 with timeZone)",
      { startsAt: "2026-02-30T18:00:00Z" },
    ],
    [
      "endsAt has no time zone; add timeZone, or end it with Z or an offset",
      { startsAt: "2026-11-20T18:00:00Z", endsAt: "2026-11-20T19:00" },
    ],
    [
      "endsAt is not after startsAt; set a later time, or omit it",
      { startsAt: "2026-11-20T18:00:00Z", endsAt: "2026-11-20T18:00:00Z" },
    ],
    [
      "timeZone is an unknown time zone (expected an IANA name, for example Europe/Madrid)",
      { startsAt: "2026-11-20T18:00", timeZone: "Europe/Atlantis" },
    ],
    ["from requires recurrence; add it, or omit this field", { startsAt: "2026-11-20T18:00:00Z", from: "18:00" }],
  ])("is rejected: %s", (fault, text) => {
    expect(faultOf(text)).toBe(fault);
  });
});

describe("Recurring windows", () => {
  it.each<[string, WindowText, from: string, to: string, expected: string[]]>([
    [
      "keep to the wall clock over the change in spring",
      { recurrence: "FREQ=WEEKLY;BYDAY=FR", from: "18:00", to: "23:00", ...madrid },
      "2026-03-27T00:00Z",
      "2026-04-04T00:00Z",
      ["2026-03-27T17:00Z/2026-03-27T22:00Z", "2026-04-03T16:00Z/2026-04-03T21:00Z"],
    ],
    [
      "keep to the wall clock over the change in autumn",
      { recurrence: "FREQ=WEEKLY;BYDAY=FR", from: "18:00", to: "23:00", ...madrid },
      "2026-10-23T00:00Z",
      "2026-10-31T00:00Z",
      ["2026-10-23T16:00Z/2026-10-23T21:00Z", "2026-10-30T17:00Z/2026-10-30T22:00Z"],
    ],
    [
      "last an hour less in the night of the change in spring (Madrid)",
      { recurrence: "FREQ=WEEKLY;BYDAY=SA", from: "22:00", to: "06:00", ...madrid },
      "2026-03-28T12:00Z",
      "2026-03-30T00:00Z",
      ["2026-03-28T21:00Z/2026-03-29T04:00Z"],
    ],
    [
      "last an hour more in the night of the change in autumn (Madrid)",
      { recurrence: "FREQ=WEEKLY;BYDAY=SA", from: "22:00", to: "06:00", ...madrid },
      "2026-10-24T12:00Z",
      "2026-10-26T00:00Z",
      ["2026-10-24T20:00Z/2026-10-25T05:00Z"],
    ],
    [
      "are over at the change where the clock goes over all of them",
      { recurrence: "FREQ=DAILY", from: "02:00", to: "03:00", ...madrid },
      "2026-03-28T00:00Z",
      "2026-03-30T12:00Z",
      ["2026-03-28T01:00Z/2026-03-28T02:00Z", "2026-03-30T00:00Z/2026-03-30T01:00Z"],
    ],
    [
      "begin at the change where the clock goes over their beginning",
      { recurrence: "FREQ=WEEKLY;BYDAY=SU", from: "02:30", to: "03:30", ...madrid },
      "2026-03-29T00:00Z",
      "2026-03-30T00:00Z",
      ["2026-03-29T01:00Z/2026-03-29T01:30Z"],
    ],
    [
      "end at the change where the clock goes over their end",
      { recurrence: "FREQ=WEEKLY;BYDAY=SU", from: "01:30", to: "02:30", ...madrid },
      "2026-03-29T00:00Z",
      "2026-03-30T00:00Z",
      ["2026-03-29T00:30Z/2026-03-29T01:00Z"],
    ],
    [
      "are the first ones where the clock shows them twice",
      { recurrence: "FREQ=WEEKLY;BYDAY=SU", from: "02:15", to: "02:45", ...madrid },
      "2026-10-24T22:00Z",
      "2026-10-26T00:00Z",
      ["2026-10-25T00:15Z/2026-10-25T00:45Z"],
    ],
    [
      "go on through the hour that comes twice",
      { recurrence: "FREQ=WEEKLY;BYDAY=SU", from: "02:30", to: "03:30", ...madrid },
      "2026-10-24T22:00Z",
      "2026-10-26T00:00Z",
      ["2026-10-25T00:30Z/2026-10-25T02:30Z"],
    ],
    [
      "last an hour less in the night of the change in spring (New York)",
      { recurrence: "FREQ=WEEKLY;BYDAY=SA", from: "22:00", to: "04:00", timeZone: "America/New_York" },
      "2026-03-07T12:00Z",
      "2026-03-09T00:00Z",
      ["2026-03-08T03:00Z/2026-03-08T08:00Z"],
    ],
    [
      "last an hour more in the night of the change in autumn (New York)",
      { recurrence: "FREQ=WEEKLY;BYDAY=SA", from: "22:00", to: "04:00", timeZone: "America/New_York" },
      "2026-10-31T12:00Z",
      "2026-11-02T00:00Z",
      ["2026-11-01T02:00Z/2026-11-01T09:00Z"],
    ],
    [
      "end when the clock has come to the end, though it was turned back just before",
      { recurrence: "FREQ=WEEKLY;BYDAY=SU", from: "01:30", to: "02:00", timeZone: "America/New_York" },
      "2026-11-01T00:00Z",
      "2026-11-02T00:00Z",
      ["2026-11-01T05:30Z/2026-11-01T07:00Z"],
    ],
    [
      "know of changes by half an hour: back, in April (Lord Howe)",
      { recurrence: "FREQ=DAILY", from: "01:45", to: "02:15", timeZone: "Australia/Lord_Howe" },
      "2026-04-04T00:00Z",
      "2026-04-06T00:00Z",
      ["2026-04-04T14:45Z/2026-04-04T15:45Z", "2026-04-05T15:15Z/2026-04-05T15:45Z"],
    ],
    [
      "know of changes by half an hour: forward, in October (Lord Howe)",
      { recurrence: "FREQ=DAILY", from: "01:45", to: "02:15", timeZone: "Australia/Lord_Howe" },
      "2026-10-02T18:00Z",
      "2026-10-05T00:00Z",
      ["2026-10-03T15:15Z/2026-10-03T15:30Z", "2026-10-04T14:45Z/2026-10-04T15:15Z"],
    ],
    [
      "are the same all year where clocks never change (Kolkata)",
      { recurrence: "FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=1,7", from: "09:00", to: "17:00", timeZone: "Asia/Kolkata" },
      "2026-01-01T00:00Z",
      "2026-12-01T00:00Z",
      ["2026-01-01T03:30Z/2026-01-01T11:30Z", "2026-07-01T03:30Z/2026-07-01T11:30Z"],
    ],
    [
      "leave out a day that a place never had (Apia, 30 December 2011)",
      { recurrence: "FREQ=DAILY", from: "09:00", to: "17:00", timeZone: "Pacific/Apia" },
      "2011-12-29T12:00Z",
      "2012-01-01T00:00Z",
      [
        "2011-12-29T19:00Z/2011-12-30T03:00Z",
        "2011-12-30T19:00Z/2011-12-31T03:00Z",
        "2011-12-31T19:00Z/2012-01-01T03:00Z",
      ],
    ],
    [
      "last until the same time of the next day where they end at the time at which they begin",
      { recurrence: "FREQ=WEEKLY;BYDAY=SA", from: "00:00", to: "00:00", ...utc },
      "2026-11-20T00:00Z",
      "2026-11-24T00:00Z",
      ["2026-11-21T00:00Z/2026-11-22T00:00Z"],
    ],
    [
      "are one where they meet",
      { recurrence: "FREQ=WEEKLY;BYDAY=SA,SU", from: "00:00", to: "00:00", ...utc },
      "2026-11-20T00:00Z",
      "2026-11-24T00:00Z",
      ["2026-11-21T00:00Z/2026-11-23T00:00Z"],
    ],
    [
      "know leap days, and the year without one",
      { recurrence: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", from: "00:00", to: "00:00", ...utc },
      "2092-03-01T00:00Z",
      "2105-01-01T00:00Z",
      ["2096-02-29T00:00Z/2096-03-01T00:00Z", "2104-02-29T00:00Z/2104-03-01T00:00Z"],
    ],
    [
      "leave out months without a 31st",
      { recurrence: "FREQ=MONTHLY;BYMONTHDAY=31", from: "22:00", to: "02:00", ...utc },
      "2026-08-02T00:00Z",
      "2027-01-02T00:00Z",
      [
        "2026-08-31T22:00Z/2026-09-01T02:00Z",
        "2026-10-31T22:00Z/2026-11-01T02:00Z",
        "2026-12-31T22:00Z/2027-01-01T02:00Z",
      ],
    ],
    [
      "know the last Friday of a month",
      { recurrence: "FREQ=MONTHLY;BYDAY=-1FR", from: "18:00", to: "19:00", ...utc },
      "2026-11-01T00:00Z",
      "2027-01-01T00:00Z",
      ["2026-11-27T18:00Z/2026-11-27T19:00Z", "2026-12-25T18:00Z/2026-12-25T19:00Z"],
    ],
    [
      "know the last working day of a month",
      { recurrence: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", from: "18:00", to: "19:00", ...utc },
      "2026-10-01T00:00Z",
      "2026-12-01T00:00Z",
      ["2026-10-30T18:00Z/2026-10-30T19:00Z", "2026-11-30T18:00Z/2026-11-30T19:00Z"],
    ],
    [
      "end after a number of times",
      { recurrence: "FREQ=WEEKLY;BYDAY=FR;COUNT=2", from: "18:00", to: "19:00", startsOn: "2026-11-14", ...utc },
      "2026-01-01T00:00Z",
      "2028-01-01T00:00Z",
      ["2026-11-20T18:00Z/2026-11-20T19:00Z", "2026-11-27T18:00Z/2026-11-27T19:00Z"],
    ],
    [
      "end with a day, on which they are for the last time",
      { recurrence: "FREQ=WEEKLY;BYDAY=FR;UNTIL=20261127", from: "23:00", to: "01:00", ...utc },
      "2026-11-15T00:00Z",
      "2028-01-01T00:00Z",
      ["2026-11-20T23:00Z/2026-11-21T01:00Z", "2026-11-27T23:00Z/2026-11-28T01:00Z"],
    ],
    [
      "are between a first and a last day",
      {
        recurrence: "FREQ=WEEKLY;BYDAY=FR",
        from: "18:00",
        to: "19:00",
        startsOn: "2026-11-20",
        endsOn: "2026-11-27",
        ...utc,
      },
      "2026-01-01T00:00Z",
      "2028-01-01T00:00Z",
      ["2026-11-20T18:00Z/2026-11-20T19:00Z", "2026-11-27T18:00Z/2026-11-27T19:00Z"],
    ],
    [
      "are counted from the first day where not every week is meant",
      { recurrence: "FREQ=WEEKLY;INTERVAL=2", from: "18:00", to: "19:00", startsOn: "2026-11-20", ...utc },
      "2036-11-10T00:00Z",
      "2036-12-08T00:00Z",
      // 3,654 days (522 weeks) after the first.
      ["2036-11-21T18:00Z/2036-11-21T19:00Z", "2036-12-05T18:00Z/2036-12-05T19:00Z"],
    ],
  ])("%s", (_, text, from, to, expected) => {
    expect(openings(text, from, to)).toEqual(expected);
  });

  it.each([
    "RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20261127",
    "freq=weekly;byday=fr;until=20261127",
    "FREQ=WEEKLY;BYDAY=FR;UNTIL=20261127;",
    " rrule:freq=weekly;until=20261127t170000z;byday=fr; ",
    // A window starts at 18:00 in Madrid, which is 17:00 in UTC.
    "FREQ=WEEKLY;BYDAY=FR;UNTIL=20261127T170000Z",
    "FREQ=WEEKLY;BYDAY=FR;UNTIL=20261204T165959Z",
    "FREQ=WEEKLY;BYDAY=FR;UNTIL=20261127T180000",
    "FREQ=WEEKLY;BYDAY=FR;UNTIL=20261204T175959",
  ])("accept the forms that calendars write: %s", (recurrence) => {
    const text = { recurrence, from: "18:00", to: "19:00", ...madrid };
    expect(openings(text, "2026-11-15T00:00Z", "2028-01-01T00:00Z")).toEqual([
      "2026-11-20T17:00Z/2026-11-20T18:00Z",
      "2026-11-27T17:00Z/2026-11-27T18:00Z",
    ]);
  });

  it("end at the instant UNTIL, in any zone", () => {
    const times = { from: "08:00", to: "09:00" };
    const last = (recurrence: string, timeZone: string) =>
      openings({ recurrence, ...times, timeZone }, "2026-12-28T00:00Z", "2027-02-01T00:00Z").at(-1);
    expect(last("FREQ=DAILY;UNTIL=20261230T180000Z", "Pacific/Kiritimati")).toBe("2026-12-30T18:00Z/2026-12-30T19:00Z");
    expect(last("FREQ=DAILY;UNTIL=20261231T185959Z", "Pacific/Pago_Pago")).toBe("2026-12-30T19:00Z/2026-12-30T20:00Z");
  });

  const friday = { recurrence: "FREQ=WEEKLY;BYDAY=FR", from: "18:00", to: "23:00", ...madrid };

  it.each<[string, WindowText]>([
    [
      "startsAt applies to a single window; with recurrence, use from and to, and startsOn or endsOn",
      { startsAt: "now" },
    ],
    ["from is an invalid time of day (expected 00:00 to 23:59, for example 18:00)", { from: "24:00" }],
    ["to is an invalid time of day (expected 00:00 to 23:59, for example 18:00)", { to: "6 pm" }],
    ["startsOn is an invalid date (expected a date such as 2026-11-20)", { startsOn: "2026-02-29" }],
    ["endsOn is before startsOn; set a later day, or omit it", { startsOn: "2026-11-20", endsOn: "2026-11-19" }],
    ["recurrence has no FREQ; add one, for example FREQ=WEEKLY;BYDAY=FR", { recurrence: "BYDAY=FR" }],
    [
      "recurrence contains FREQ=HOURLY, which is more than once a day; use FREQ=DAILY, with a window for each time of day",
      { recurrence: "FREQ=HOURLY" },
    ],
    [
      "recurrence contains BYHOUR, which is unsupported; set the time of day with from and to",
      { recurrence: "FREQ=DAILY;BYHOUR=3" },
    ],
    [
      "recurrence contains the invalid part BYDAY=XX (expected days of the week, for example MO,FR, or 1MO and -1FR within a month)",
      { recurrence: "FREQ=WEEKLY;BYDAY=XX" },
    ],
    [
      "recurrence contains the invalid part UNTIL=20261231T2259Z (expected the last day, for example 20261231, or an instant, for example 20261231T225959Z)",
      { recurrence: "FREQ=DAILY;UNTIL=20261231T2259Z" },
    ],
    [
      "recurrence contains the invalid part UNTIL=20260231T000000Z (expected the last day, for example 20261231, or an instant, for example 20261231T225959Z)",
      { recurrence: "FREQ=DAILY;UNTIL=20260231T000000Z" },
    ],
    [
      "recurrence contains the invalid date UNTIL=20260231 (expected a date such as 20261231)",
      { recurrence: "FREQ=DAILY;UNTIL=20260231" },
    ],
    ["recurrence contains FREQ twice; remove one", { recurrence: "FREQ=DAILY;FREQ=DAILY" }],
    [
      "recurrence contains both COUNT and UNTIL; remove one",
      { recurrence: "FREQ=DAILY;COUNT=2;UNTIL=20261231", startsOn: "2026-11-20" },
    ],
    [
      "recurrence requires startsOn, from which it is counted; add startsOn",
      { recurrence: "FREQ=WEEKLY;BYDAY=FR;INTERVAL=2" },
    ],
    ["recurrence requires startsOn, from which it is counted; add startsOn", { recurrence: "FREQ=WEEKLY" }],
    [
      "recurrence cannot be used: BYMONTHDAY MUST NOT be used when FREQ is WEEKLY (see RFC 5545, section 3.3.10)",
      { recurrence: "FREQ=WEEKLY;BYMONTHDAY=3" },
    ],
    [
      "recurrence is longer than 500 characters; split it into several windows",
      { recurrence: `FREQ=DAILY;BYMONTH=${"1,".repeat(250)}1` },
    ],
  ])("are rejected: %s", (fault, change) => {
    expect(faultOf({ ...friday, ...change })).toBe(fault);
  });

  it.each(["from", "to", "timeZone"] as const)("are rejected without %s", (field) => {
    const { [field]: _, ...others } = friday;
    expect(faultOf(others)).toMatch(new RegExp(`^${field} is missing; set `));
  });

  it.each([
    ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", false],
    ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", false],
    ["FREQ=MONTHLY;BYDAY=9MO", false],
    ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=999", false],
    ["FREQ=YEARLY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29", false],
    ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=FR", true],
    ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", true],
    ["FREQ=DAILY;COUNT=999", true],
  ])("have occurrences or none, and parsing never hangs: %s", (recurrence, happens) => {
    const meaning = parseWindow({ ...friday, recurrence, startsOn: "2026-11-20" });
    expect(meaning.opens()).toBe(happens);
    const at = Date.parse("2026-11-20T12:00Z");
    expect(intervalAt(meaning.schedule(at), at).until).toBeGreaterThan(at);
  });

  it("are off before the first day, no matter how long before", () => {
    const { schedule } = parseWindow({ ...friday, recurrence: "FREQ=DAILY", startsOn: "2126-11-20" });
    const at = Date.parse("1926-11-20T12:00Z");
    expect(intervalAt(schedule(at), at)).toMatchObject({ on: false, until: Date.parse("2126-11-20T17:00Z") });
  });
});
