import type { Result } from "../run-checks.ts";

const marks: Record<Result["outcome"], string> = { passed: "ok  ", failed: "FAIL", warned: "warn", skipped: "skip" };

/** One line for a result; a failure also has its reason and the source of the rule. */
export function textOf({ check, outcome, message }: Result): string {
  const line = `${marks[outcome]}  ${check.id}: ${check.rule}`;
  if (outcome === "passed") return line;
  return outcome === "skipped" ? `${line} (${message})` : `${line}\n      ${message}\n      ${check.source}`;
}

/** The last line: the number of results of each kind. */
export function summaryOf(results: readonly Result[]): string {
  const count = (outcome: Result["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  return `${count("passed")} passed, ${count("failed")} failed, ${count("warned")} warned, ${count("skipped")} skipped`;
}
