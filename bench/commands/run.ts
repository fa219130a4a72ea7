import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { spreadOf } from "../spread.ts";

const root = resolve(import.meta.dirname, "../..");
const page = join(root, "docs/benchmarks/commands.md");
const rounds = 15;
/** The maximum ratio of a command's time to that of a bare Node.js. */
const limit = 13;
const commands = [
  "--version",
  "--help",
  "validate",
  "evaluate --user 1",
  "explain feature_1",
  "sets add active_features feature_9",
  "features list",
  "features kill feature_9",
];

const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
const env = { ...process.env, TIDEGATE_DATA: folder, TIDEGATE_CONFIG: "config/embedded.yaml" };

/** The duration of a process, in milliseconds. */
function took(...args: readonly string[]): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, env });
  if (status !== 0) throw new Error(`${args.join(" ")}: exit code ${status}\n${stderr}`);
  return performance.now() - startedAt;
}

/** The minimum of many runs: other work on the machine only adds time. */
const min = (figures: readonly number[]): number => spreadOf(figures).min;

const loadBefore = loadavg()[0] ?? Number.NaN;
try {
  const run = (command: string) => took("bin/tidegate.cjs", ...command.split(" "));
  // The first run compiles.
  for (const command of ["demo", ...commands]) run(command);
  const bare: number[] = [];
  const times = new Map(commands.map((command): [string, number[]] => [command, []]));
  for (let round = 0; round < rounds; round++) {
    bare.push(took("-e", "0"));
    for (const [command, all] of times) all.push(run(command));
  }
  const rows = [...times].map(([command, all]) => {
    const ratio = min(all) / min(bare);
    const verdict = ratio <= limit ? "reached" : "**missed**";
    return `| \`tidegate ${command}\` | ${min(all).toFixed(0)} ms | ${ratio.toFixed(1)} | ${verdict} |`;
  });
  console.log(rows.join("\n"));
  writeFileSync(page, text(min(bare), rows));
} finally {
  rmSync(folder, { recursive: true });
}

function text(bare: number, rows: readonly string[]): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  return `<!-- Written by \`make bench-commands\`. -->

# Benchmarks of commands

Measured on ${cpus().length} cores (${cpus()[0]?.model}), ${new Date().toISOString().slice(0, 10)}, commit ${commit}, with
${loadBefore.toFixed(1)} processes that wanted a processor before it began. Quote the ratios rather than the times.

Each command runs as a process on the embedded store, ${rounds} times in turn with a bare \`node -e 0\`, which takes
${bare.toFixed(0)} ms. The target: at most ${limit} times as long. The least of each:

| command | time | times a bare Node.js | |
| --- | --- | --- | --- |
${rows.join("\n")}

Most of the time goes into loading modules: about 260 for \`validate\`, 590 for \`evaluate\` and the changes, and 610
for \`explain\` and \`features list\`, which also read the event log
([ADR 0041](../adr/0041-sql-is-written-as-text.md)).
`;
}
