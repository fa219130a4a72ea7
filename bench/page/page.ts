import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { parse } from "yaml";
import { connections, names } from "../measurements/rates.ts";
import { type Measured, type Part, parts, type Results } from "../results.ts";
import type { Slice } from "../rounds.ts";
import { percentile, spreadOf } from "../spread.ts";
import { mb, spreadText } from "./figures.ts";
import { peersSection } from "./peers.ts";
import { plots } from "./plots.ts";
import { ratesTable } from "./rates-table.ts";
import { best, ratios, slicesOf, type Verdict, verdicts } from "./targets.ts";

const docs = resolve(import.meta.dirname, "../../docs");

/** The targets and what was reached, without writing the page. */
export const verdictsOf = (measured: Measured): readonly Verdict[] =>
  verdicts(Object.fromEntries(parts.map((part) => [part, measured[part].result])) as Results);

/** Writes docs/benchmarks/index.md with its plots. Returns the targets and the results. */
export function writePage(measured: Measured): readonly Verdict[] {
  const results = Object.fromEntries(parts.map((part) => [part, measured[part].result])) as Results;
  const reached = verdicts(results);
  const drawn = plots(results);
  const folder = resolve(docs, "benchmarks");
  for (const name of globSync("*.svg", { cwd: folder })) rmSync(resolve(folder, name));
  for (const [name, svg] of Object.entries(drawn)) writeFileSync(resolve(folder, name), svg);
  writeFileSync(resolve(folder, "index.md"), page(measured, results, reached, drawn));
  return reached;
}

const page = (
  measured: Measured,
  results: Results,
  reached: readonly Verdict[],
  drawn: Readonly<Record<string, string>>,
): string => `<!-- Written by \`make bench\`. -->

# Benchmarks

How many calls Tidegate answers, what a call costs, and how soon a change is seen, beside other servers on the same
machine: ${measured.rates.about.machine}, on ${measured.rates.about.date.slice(0, 10)}. Quote the ratios rather than
the figures, which are this machine's.

${image(drawn, "rates.svg", "Calls a second on one core")}## On one core

${connections.map((count) => oneCoreTable(results, count)).join("\n\n")}

Each figure is the median of the rounds, in brackets the least and the largest; ratios are formed within a round. Every
server was checked for right answers before and after. ${failures([...results.rates.slices, ...results.allCores.slices, ...results.peers.slices])}

- **${names.bare}** and **${names.hono}** answer a constant of the size and with the headers of Tidegate's answer. They run with
  Node's defaults; Tidegate changes two of V8's by itself (\`src/bootstrap/runtime/allocate-young.ts\`, \`heap-growth.ts\`).
- **Tidegate, hit**: the answer is remembered, and provably fresh (for an hour instead of the default ten minutes, as a server
  that waits for its turn would forget). **304**: the caller has it already. **Miss**: the caller's
  token and features are read of Redis, since other users pushed them out of memory; the sets that all share are remembered.
  **Stale**: Redis was stopped after all users had been asked for; the last known answer is served, and says so.
  **Unknown token**: each token is a new one, so Redis is asked, and the response is 401.
- **${names.map}**: a \`node:http\` server that finds the response of each of 10,000 users by the SHA-256 of the header.
  **${names.commands}**: one that sends the five commands of a miss through ioredis, merges and responds
  (\`bench/contestants/servers/\`).
- **Flask**: the design whose interface Tidegate keeps, a small app that asks Redis three times a call
  (\`bench/contestants/seed-design/app.py\`), behind gunicorn's sync workers, which close the connection after each call.
- **${names.unleash}**: 100 flags, of which as many are on for a user as elsewhere (28). Its answer has 4 kB, with a variant of
  each flag, where Tidegate's has 0.4 kB: the designs are compared, not the bytes.
${results.rates.skipped.map((why) => `- Skipped: ${why}\n`).join("")}
${peersSection(results.peers, measured.peers.about.versions)}
## Asked and reached

| asked | reached | |
| --- | --- | --- |
${reached.map(({ asked, reached, met }) => `| ${asked} | ${reached || "not measured"} | ${word(met)} |`).join("\n")}
${missed(reached)}
## On all cores

${allCoresTable(results)}

At 32 connections, with nothing pinned: the servers share ${cpus().length} processors with Redis and with the load, which needs most of one
for itself, so that Tidegate could do more than is seen here.

## As the store grows

${image(drawn, "flat-cost.svg", "Processor time of a call by users in the store")}${flatCostTable(results)}

Tidegate's processor time of a call, in µs. Hits are of the same 1,000 users, misses of users who were pushed out of
memory or never asked for.

## Memory, start, kill switch, Redis

${further(results)}

## How it is measured

Each server runs on processor 0; the load (wrk, one thread), Redis and PostgreSQL run on processor 1. All servers are up at
the same time and are loaded in turn, round after round, each for two seconds that do not count and then for a few that do, so
that what else the machine does falls on all of them. There are 10,000 users whose tokens rotate, 20 global features, 50
active ones of 100, and 10 to 20 features a user. Processor time is the user and system time of the process and its
children, the sturdier figure on a busy machine. The load waits for its answers, so latencies are those of a server that is
fully busy. Redis is on the same machine; beyond a network, whatever asks it at each call would lose more.

\`make bench\` measures everything, \`make bench ONLY=memory\` a part; [bench/README.md](../../bench/README.md) tells more. Each
part is of the commit that it was measured on:

| part | measured | commit | took | load of the machine before |
| --- | --- | --- | --- | --- |
${parts.map((part) => provenance(part, measured)).join("\n")}

${Object.entries(measured.rates.about.versions)
  .map(([name, version]) => `${name} ${version}`)
  .join(", ")}.
`;

const image = (drawn: Readonly<Record<string, string>>, name: string, title: string): string =>
  drawn[name] ? `![${title}](${name})\n\n` : "";

/** A sentence about failed requests. */
function failures(slices: readonly Slice[]): string {
  const failing = slices.filter(({ failed }) => failed > 0);
  if (failing.length === 0) return "No call failed.";
  const names = [...new Set(failing.map(({ name, connections }) => `${name} at ${connections}`))].join("; ");
  const count = failing.reduce((sum, { failed }) => sum + failed, 0);
  return `Slices in which calls failed were measured again: ${count} calls, of ${names} connections.`;
}

const word = (met: boolean | undefined): string => (met === undefined ? "" : met ? "reached" : "**missed**");

/** The reason for a missed target is written by hand. A missing reason is shown as such. */
function missed(reached: readonly Verdict[]): string {
  const reasons: Record<string, string> =
    parse(readFileSync(resolve(import.meta.dirname, "misses.yaml"), "utf8")) ?? {};
  const misses = reached.filter(({ met }) => met === false);
  const lines = misses.map(({ id, asked }) => `- ${asked}: ${reasons[id] ?? "why is not known."}\n`);
  return lines.length > 0 ? `\nWhy figures were missed:\n\n${lines.join("")}` : "";
}

const oneCoreTable = ({ rates: { slices } }: Results, count: number): string =>
  ratesTable(slices, {
    title: `${count} connections`,
    names: Object.values(names),
    connections: count,
    to: names.bare,
    toName: "bare",
  });

function allCoresTable({ allCores: { slices, skipped } }: Results): string {
  const all = [...new Set(slices.map(({ name }) => name))];
  const fastest = best(slices, all, 32);
  const rows = all.map((name) => {
    const own = slicesOf(slices, name, 32);
    const rate = spreadText(
      own.map(({ perSecond }) => perSecond / 1_000),
      1,
    );
    const ratio = spreadText(
      ratios(own, fastest, ({ perSecond }) => perSecond),
      2,
    );
    return `| ${name} | ${rate} | ${ratio} | ${spreadText(
      own.map(({ p99 }) => p99),
      1,
    )} |`;
  });
  return `| server | thousand calls a second | ratio to the fastest | p99 ms |
| --- | --- | --- | --- |
${rows.join("\n")}${skipped.map((why) => `\n\nSkipped: ${why}`).join("")}`;
}

const flatCostTable = ({ flatCost }: Results): string => `| users in the store | hit | miss |
| --- | --- | --- |
${flatCost.map(({ users, hit, miss }) => `| ${users.toLocaleString("en")} | ${spreadText(hit, 1)} | ${spreadText(miss, 1)} |`).join("\n")}`;

function further({ memory, startUp, killSwitch, roundTrips: { miss, cold, hits } }: Results): string {
  const { users, fresh, full } = memory;
  const milliseconds = (part: number) => `${percentile(killSwitch.millis, part).toFixed(1)} ms`;
  const startRatio = spreadOf(startUp.tidegate.map((millis, run) => millis / (startUp.bare[run] ?? Number.NaN)));
  return `- **Memory**: ${mb(full.used)} MB of heap and external memory after a collection, with ${users.toLocaleString("en")} users remembered; ${mb(full.used - fresh.used)} MB
  more than after the start. Resident: ${mb(full.resident)} MB, and ${mb(fresh.resident)} MB after the start.
- **Start**: ${spreadText(startUp.tidegate, 0)} ms from the start of the process to the first answer, in ${startUp.tidegate.length} runs; a bare script takes
  ${spreadText(startUp.bare, 0)} ms, ${startRatio.median.toFixed(1)} times less.
- **Kill switch**: a feature is taken out of \`active_features\` by a raw \`SREM\`, ${killSwitch.millis.length.toLocaleString("en")} times, and ${killSwitch.processes} processes on one
  processor are asked over HTTP until every one answers without it. From Redis's answer to the last process's: median
  ${milliseconds(0.5)}, p99 ${milliseconds(0.99)}, p99.9 ${milliseconds(0.999)}, longest ${milliseconds(1)}.
- **Redis**: a hit sends it nothing (${hits.reads} commands on keys in ${hits.calls.toLocaleString("en")} hits, by its own counters). A miss of one user waits ${miss.users === 1 ? "once" : `${miss.users} times`} for
  the Redis of tokens and ${miss.features === 1 ? "once" : `${miss.features} times`} for that of features, with ${miss.commands} commands in all. ${cold.calls.toLocaleString("en")} concurrent calls
  for a user of whom nothing is known send ${cold.commands} commands for ${cold.keys} keys.`;
}

function provenance(part: Part, measured: Measured): string {
  const { date, commit, seconds, loadBefore } = measured[part].about;
  return `| ${part} | ${date.replace("T", " ")} UTC | ${commit} | ${seconds} s | ${loadBefore.toFixed(1)} |`;
}
