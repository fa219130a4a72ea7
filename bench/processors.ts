import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

/** The processor of the server under test only. */
export const serverProcessor = "0";
/** The processors of all else: the load, the stores, the benchmark itself. */
export const loadProcessor = "1";
export const allProcessors = `0-${cpus().length - 1}`;

/** Pins this process and its future children to some processors. */
export function keepTo(processors: string): void {
  execFileSync("taskset", ["--all-tasks", "--pid", "--cpu-list", processors, `${process.pid}`], { stdio: "ignore" });
}
