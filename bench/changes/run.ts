import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { resolve } from "node:path";
import type { Spread } from "../spread.ts";
import { acknowledgement } from "./acknowledgement.ts";
import { type LogFigures, logOn } from "./log.ts";

const events = Number(process.env["EVENTS"] ?? 1_000_000);
const loadBefore = loadavg()[0] ?? Number.NaN;
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

console.log("== acknowledgement");
const change = await acknowledgement();
console.log(`${short(change.ratio)} times the script`);
const logs: [string, LogFigures][] = [];
for (const [name, kind] of [
  ["SQLite", "sqlite"],
  ["PostgreSQL", "postgres"],
] as const) {
  console.log(`== the log in ${name}, ${events} events`);
  logs.push([name, await logOn(kind, events)]);
}

writeFileSync(resolve(import.meta.dirname, "../../docs/benchmarks-of-changes.md"), page());

function short({ median, least, most }: Spread): string {
  return `${figure(median)} (${figure(least)} to ${figure(most)})`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function page(): string {
  const worst = (log: LogFigures) =>
    Math.max(...Object.values(log.pages).map(({ median }) => median / log.primaryKey.median));
  return `<!-- Written by \`make bench-changes\`. -->

# Benchmarks of changes and of the activity log

Measured on ${cpus().length} cores (${cpus()[0]?.model}), ${new Date().toISOString().slice(0, 10)}, commit ${commit}, with
${loadBefore.toFixed(1)} processes that wanted a processor before it began. Each figure is a median, in brackets the least and the largest;
quote the ratios rather than the times. The benchmark of reads is [another](benchmarks.md).

| asked | reached | |
| --- | --- | --- |
| a change over HTTP at most 3 times its script sent to Redis by itself | ${short(change.ratio)} times | ${verdict(change.ratio.median <= 3)} |
${logs
  .map(
    ([name, log]) =>
      `| ${name}: a page of 50 of ${log.events.toLocaleString("en")} events under 20 times a read by primary key | ${figure(worst(log))} times for the dearest filter | ${verdict(worst(log) < 20)} |
| ${name}: records at 2,000 a second or better | ${Math.round(log.recordedPerSecond).toLocaleString("en")} a second | ${verdict(log.recordedPerSecond >= 2_000)} |
| ${name}: what a set of 10,000 events held, and since when and by whom, under 100 ms | ${figure(log.past.set.median + log.past.turns.median)} ms | ${verdict(log.past.set.median + log.past.turns.median < 100)} |`,
  )
  .join("\n")}

## A change

Until it is acknowledged: ${short(change.http)} ms over HTTP, ${short(change.script)} ms for the script. One call after the other,
in ${20} rounds of ${200}; both sides change the same set of the same Redis.

## The log

In milliseconds, as a process asks it: through the log's thread, rows read and made events.

| | ${logs.map(([name]) => name).join(" | ")} |
| --- | ${logs.map(() => "---").join(" | ")} |
| one event by its id | ${logs.map(([, log]) => short(log.primaryKey)).join(" | ")} |
${Object.keys(logs[0]?.[1].pages ?? {})
  .map((name) => `| a page ${name} | ${logs.map(([, log]) => short(log.pages[name] as Spread)).join(" | ")} |`)
  .join("\n")}
| a set of 10,000 events as it was | ${logs.map(([, log]) => short(log.past.set)).join(" | ")} |
| who turned each of its 500 features | ${logs.map(([, log]) => short(log.past.turns)).join(" | ")} |

A part of a message is found by reading the log, newest first, until the page is full: that takes as long as the log is.
`;
}

function verdict(met: boolean): string {
  return met ? "reached" : "**missed**";
}
