import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

/** Where the server under test runs, and nothing else. */
export const serverProcessor = "0";
/** Where all else runs: the load, the stores, the benchmark itself. */
export const loadProcessor = "1";
export const allProcessors = `0-${cpus().length - 1}`;

/** Keeps this process, and whatever it starts from here on, to some processors. */
export function keepTo(processors: string): void {
  execFileSync("taskset", ["--all-tasks", "--pid", "--cpu-list", processors, `${process.pid}`], { stdio: "ignore" });
}
