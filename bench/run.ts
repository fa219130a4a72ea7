import { spawnSync } from "node:child_process";
import { interrupted } from "./interruption.ts";
import { verdictsOf, writePage } from "./page/page.ts";
import { keepTo, loadProcessor } from "./processors.ts";
import { lastMeasured, measure, type Part, parts } from "./results.ts";

for (const [tool, install] of [
  ["wrk", "wrk"],
  ["taskset", "util-linux"],
  ["redis-server", "redis-server"],
] as const) {
  if (spawnSync("which", [tool]).status !== 0) {
    fail(`The benchmark needs ${tool}, which is not here; on Debian: apt-get install -y ${install}`);
  }
}

const wanted = process.env["ONLY"]?.split(",") ?? parts;
const unknown = wanted.find((name) => !parts.includes(name as Part));
if (unknown !== undefined) fail(`There is no part ${unknown}; choose of ${parts.join(", ")}`);

keepTo(loadProcessor);
try {
  for (const part of wanted as Part[]) {
    console.log(`\n== ${part}`);
    await measure(part);
  }
} catch (error) {
  if (interrupted.aborted) fail(interrupted.reason.message);
  throw error;
}

const measured = lastMeasured();
if (!("rates" in measured)) {
  console.log(
    `docs/benchmarks/index.md is left as it is, since parts of it were never measured: ${measured.join(", ")}`,
  );
} else {
  const words = new Map([
    [true, "reached"],
    [false, "MISSED"],
    [undefined, "not measured"],
  ]);
  // A quick run is too noisy for the page.
  const reached = process.env["QUICK"] ? verdictsOf(measured) : writePage(measured);
  for (const { asked, reached: found, met } of reached) console.log(`${words.get(met)}: ${asked}: ${found}`);
}

function fail(fault: string): never {
  console.error(fault);
  process.exit(1);
}
