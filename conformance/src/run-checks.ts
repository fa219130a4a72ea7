import { type Check, NotApplicable, Violation } from "./check.ts";
import { checks } from "./checks.ts";
import { type Options, Server } from "./server.ts";

/** The outcome of one check. `message` says why it failed, or why it was skipped. */
export type Result = {
  readonly check: Check;
  readonly outcome: "passed" | "failed" | "warned" | "skipped";
  readonly message: string;
  readonly milliseconds: number;
};

/**
 * Runs all checks against a server, one after the other. A violated `should` is a warning, or a failure if `isStrict`.
 * Rejects if a check itself is broken, and if a change cannot be made.
 */
export async function runChecks(
  options: Options,
  isStrict: boolean,
  report: (result: Result) => void,
): Promise<readonly Result[]> {
  const server = new Server(options);
  const results: Result[] = [];
  for (const check of checks) {
    const start = performance.now();
    const [outcome, message] = await outcomeOf(check, server, isStrict);
    const result = { check, outcome, message, milliseconds: performance.now() - start };
    results.push(result);
    report(result);
  }
  return results;
}

async function outcomeOf(
  check: Check,
  server: Server,
  isStrict: boolean,
): Promise<readonly [Result["outcome"], string]> {
  try {
    await check.run(server);
    return ["passed", ""];
  } catch (error) {
    if (error instanceof NotApplicable) return ["skipped", error.message];
    if (!(error instanceof Violation)) throw error;
    return [check.level === "must" || isStrict ? "failed" : "warned", error.message];
  }
}
