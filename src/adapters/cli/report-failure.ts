import { errorMessage } from "../../domain/error-message.ts";
import { ChangeRejected, SourceUnavailable, StoreFault, TidegateError } from "../../domain/errors.ts";
import { ConfigError } from "../../infrastructure/config-error.ts";
import { OperationFailed } from "../../infrastructure/operation-failed.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { UsageError } from "./usage-error.ts";

/** Exit code of a wrong command line. */
export const usageExit = 2;
/** EX_CONFIG of sysexits.h: an operator has to fix something before a start. */
export const configExit = 78;

const expectedErrors = [
  UsageError,
  ConfigError,
  SetupFailed,
  OperationFailed,
  ChangeRejected,
  TidegateError,
  StoreFault,
];

/**
 * Writes to standard error why a process's task failed, and returns the exit code: 78 for what an operator has to fix
 * before a start, 2 for a wrong command line, otherwise 1. Omits the stack of errors whose message is meant for people.
 */
export function reportFailure(error: unknown, stderr: { write(text: string): unknown }): number {
  const expected = expectedErrors.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (!expected && error.stack) || error.message : String(error);
  const cause = error instanceof SourceUnavailable ? `\n  cause: ${errorMessage(error.cause)}` : "";
  stderr.write(`${expected ? "tidegate: " : ""}${text}${cause}\n`);
  if (error instanceof UsageError) return usageExit;
  return error instanceof ConfigError || error instanceof SetupFailed ? configExit : 1;
}
