import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { resolve } from "node:path";
import type { Spread } from "../spread.ts";
import { acknowledgement } from "./acknowledgement.ts";
import { type EventLogFigures, eventLog } from "./event-log.ts";
import { importing } from "./import.ts";

const users = Number(process.env["IMPORT_USERS"] ?? 1_000_000);
const loadBefore = loadavg()[0] ?? Number.NaN;
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

console.log("== acknowledgement");
const change = await acknowledgement();
console.log(`${short(change.ratio)} times the script`);
console.log("== the event log");
const logs = await eventLog();
console.log(`== an import of ${users} users`);
const imported = await importing(users);
console.log(`${short(imported.ratio)} times the rate of redis-cli --pipe`);

writeFileSync(resolve(import.meta.dirname, "../../docs/benchmarks/changes.md"), page());

function short({ median, min, max }: Spread): string {
  return `${figure(median)} (${figure(min)} to ${figure(max)})`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function page(): string {
  const worst = ({ pageMs, oneMs }: EventLogFigures[number]) => Math.max(...Object.values(pageMs)) / oneMs;
  return `<!-- Written by \`make bench-changes\`. -->

# Benchmarks of changes and of the event log

Measured on ${cpus().length} cores (${cpus()[0]?.model}), ${new Date().toISOString().slice(0, 10)}, commit ${commit}, with
${loadBefore.toFixed(1)} processes that wanted a processor before it began. Each figure is a median, in brackets the least and the largest;
quote the ratios rather than the times. The benchmark of reads is [another](index.md).

| asked | reached | |
| --- | --- | --- |
| a change over HTTP at most 3 times its script sent to Redis by itself | ${short(change.ratio)} times | ${verdict(change.ratio.median <= 3)} |
| an import of ${users.toLocaleString("en")} users, each with a set and a token, at 0.3 of the rate of \`redis-cli --pipe\` or better | ${short(imported.ratio)} | ${verdict(imported.ratio.median >= 0.3)} |
| it has less than 300 MB resident | ${(imported.resident / 1e6).toFixed(0)} MB | ${verdict(imported.resident < 300e6)} |
${logs
  .map(
    (log) =>
      `| ${log.database}: a page of 50 of ${log.events.toLocaleString("en")} events under 20 times one event by its id | ${figure(worst(log))} times for the dearest filter | ${verdict(worst(log) < 20)} |
| ${log.database}: 2,000 records a second or more | ${Math.round(log.recordedPerSecond).toLocaleString("en")} a second | ${verdict(log.recordedPerSecond >= 2_000)} |
| ${log.database}: what a set of 10,000 changes held, and since when and by whom, under 100 ms | ${figure(log.setAtMs + log.turnsMs)} ms | ${verdict(log.setAtMs + log.turnsMs < 100)} |`,
  )
  .join("\n")}

## A change

Until it is acknowledged: ${short(change.http)} ms over HTTP, ${short(change.script)} ms for the script. One call after the other,
10 ms apart, in 20 rounds of 50; both sides change the same set of the same Redis.

## An import

\`tidegate import\` ${short(imported.tidegate)} users a second, \`redis-cli --pipe\` ${short(imported.pipe)}: from the start of the process to its end, each into
a Redis of its own, in turn. The one reads and checks the file before it changes anything, and leaves records of all it does, what
later changes are compared with, and lists of users' tokens; the other sends the bare \`SADD\` and \`SET\` of the same data, and nothing else.

The file is checked first; then a batch is parsed while Redis applies those before it, so the larger of the two counts. In processor time
per new user (a set and a token): 18 µs in Redis, of which a bare \`SADD\` and \`SET\` take 6 (lower quartile of 20 replays of 10,000
users), and 38 µs in all threads of the importing process (one run of 300,000 users; both 2026-11-30, beside other work).

Batches are worth their lines. With 30,000 users (medians of six runs, 2026-11-29) they took 23 µs in Redis and 55 µs in the importing process,
pipelined single changes 137 and 129 µs. With single changes the import reached a third of the rate of batches, beside other work on the machine. So new sets and tokens are loaded in batches. For documents, and for sets
and tokens that exist already, batches gained nothing in processor time (a set with a missing feature: 139 and 138 µs by pipelined
changes, 175 and 96 µs by the batch script of before), so these are pipelined changes.

## The log

In milliseconds, as a process asks it: through the log's thread, rows read and made events.

| | ${logs.map(({ database }) => database).join(" | ")} |
| --- | ${logs.map(() => "---").join(" | ")} |
| one event by its id | ${row(({ oneMs }) => oneMs)} |
${Object.keys(logs[0]?.pageMs ?? {})
  .map((name) => `| a page by ${name} | ${row(({ pageMs }) => pageMs[name] ?? Number.NaN)} |`)
  .join("\n")}
| a set of 10,000 changes as it was | ${row(({ setAtMs }) => setAtMs)} |
| what turned its features | ${row(({ turnsMs }) => turnsMs)} |

The proof of the log reads ${logs.map(({ database, verifiedPerSecond }) => `${Math.round(verifiedPerSecond).toLocaleString("en")} events a second in ${database}`).join(", ")}.
A part of a message is found by reading the log, newest first, until the page is full: that takes as long as the log is.
`;
}

function row(of: (log: EventLogFigures[number]) => number): string {
  return logs.map((log) => figure(of(log))).join(" | ");
}

function verdict(met: boolean): string {
  return met ? "reached" : "**missed**";
}
