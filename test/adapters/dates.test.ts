import { describe, expect, it } from "vitest";
import { endOf, startOf, writtenDate } from "../../src/adapters/dates.ts";
import { timeZone } from "../../src/infrastructure/time-zone.ts";

const madrid = timeZone("Europe/Madrid");
if (!madrid) throw new Error("the zone is missing");
const shown = (at: number | undefined) => at !== undefined && new Date(at).toISOString();

describe("a date in a query", () => {
  it.each([
    ["2021-04-16", "2021-04-15T22:00:00.000Z", "2021-04-16T22:00:00.000Z"],
    ["04-16-2021", "2021-04-15T22:00:00.000Z", "2021-04-16T22:00:00.000Z"],
    // A day of 23 hours.
    ["2021-03-28", "2021-03-27T23:00:00.000Z", "2021-03-28T22:00:00.000Z"],
    ["2021-04-16T09:30:00", "2021-04-16T07:30:00.000Z", "2021-04-16T07:30:00.000Z"],
    ["2021-04-16T09:30", "2021-04-16T07:30:00.000Z", "2021-04-16T07:30:00.000Z"],
    ["2021-04-16T09:30:00.25", "2021-04-16T07:30:00.250Z", "2021-04-16T07:30:00.250Z"],
    ["2021-04-16T09:30:00Z", "2021-04-16T09:30:00.000Z", "2021-04-16T09:30:00.000Z"],
    ["2021-04-16T09:30:00-05:00", "2021-04-16T14:30:00.000Z", "2021-04-16T14:30:00.000Z"],
  ])("is read in its zone: %s", (text, start, end) => {
    expect([shown(startOf(text, madrid)), shown(endOf(text, madrid))]).toEqual([start, end]);
  });

  it.each([
    "2021-02-30",
    "16-04-2021",
    "2021/04/16",
    "2021-04-16T24:30:00",
    "2021-02-30T00:00:00",
    "20210416",
    "now",
    "",
  ])("is rejected: %j", (text) => {
    expect([writtenDate(text, madrid), startOf(text, madrid)]).toEqual([undefined, undefined]);
  });
});
