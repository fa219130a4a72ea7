import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import type { Row } from "./row.ts";

/**
 * Measures what the files of a folder export as `measure`, and writes a page of it. With `ONLY`, it measures some of the
 * files, and writes nothing.
 */
export async function measureFolder(folder: string, page: { readonly name: string; readonly title: string }) {
  const only = process.env["ONLY"]?.split(",");
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && file !== "run.ts")
    .map((file) => file.slice(0, -".ts".length))
    .sort();
  const rows: Row[] = [];
  for (const name of only ?? names) {
    console.log(`== ${name}`);
    const { measure }: { measure: () => Promise<readonly Row[]> } = await import(join(folder, `${name}.ts`));
    for (const row of await measure()) {
      console.log(`${row.asked}: ${row.reached}${row.isReached ? "" : " (missed)"}`);
      rows.push(row);
    }
  }
  if (only) return;
  const lines = rows.map(
    ({ asked, reached, isReached }) => `| ${asked} | ${reached} | ${isReached ? "reached" : "**missed**"} |`,
  );
  const misses = rows.filter(({ isReached }) => !isReached);
  const reasons = misses.map(({ asked, reason }) => `- ${asked}: ${reason ?? "why is not known."}\n`);
  const why = reasons.length > 0 ? `\nWhy figures were missed:\n\n${reasons.join("")}` : "";
  writeFileSync(
    resolve(import.meta.dirname, `../docs/benchmarks/${page.name}.md`),
    `<!-- Written by \`make bench-${page.name}\`. -->

# ${page.title}

Measured on ${cpus().length} cores (${cpus()[0]?.model}), ${new Date().toISOString().slice(0, 10)}, commit ${commit}, with
${loadBefore.toFixed(1)} processes that wanted a processor before it began. Quote the ratios rather than the times. Each line is measured by a
file of \`bench/${page.name}\`, which says how. [Another page](index.md) has the benchmark of reads.

| asked | reached | |
| --- | --- | --- |
${lines.join("\n")}
${why}`,
  );
}
