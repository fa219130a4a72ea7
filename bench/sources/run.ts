import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { resolve } from "node:path";
import type { Row } from "./row.ts";

const here = import.meta.dirname;
const page = resolve(here, "../../docs/benchmarks/sources.md");
const only = process.env["ONLY"]?.split(",");
const loadBefore = loadavg()[0] ?? Number.NaN;
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

/** The measurements: the other files of this folder. */
const names = readdirSync(here)
  .filter((file) => !["run.ts", "row.ts"].includes(file))
  .map((file) => file.slice(0, -".ts".length))
  .sort();

const rows: Row[] = [];
for (const name of only ?? names) {
  console.log(`== ${name}`);
  const { measure }: { measure: () => Promise<readonly Row[]> } = await import(resolve(here, `${name}.ts`));
  for (const row of await measure()) {
    console.log(`${row.asked}: ${row.reached}${row.isReached ? "" : " (missed)"}`);
    rows.push(row);
  }
}
if (!only) writeFileSync(page, text());

function text(): string {
  const lines = rows.map(
    ({ asked, reached, isReached }) => `| ${asked} | ${reached} | ${isReached ? "reached" : "**missed**"} |`,
  );
  return `<!-- Written by \`make bench-sources\`. -->

# Benchmarks of sources

Measured on ${cpus().length} cores (${cpus()[0]?.model}), ${new Date().toISOString().slice(0, 10)}, commit ${commit}, with
${loadBefore.toFixed(1)} processes that wanted a processor before it began. Quote the ratios rather than the times. Each line is measured by a
file of \`bench/sources\`, which says how. [Another page](index.md) has the benchmark of reads.

| asked | reached | |
| --- | --- | --- |
${lines.join("\n")}
`;
}
