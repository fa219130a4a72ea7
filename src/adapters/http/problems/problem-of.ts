import { ChangedSince, ChangeRejected, TidegateError, type ValueFault } from "../../../domain/errors.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { Log } from "../../../infrastructure/logger.ts";
import { HttpProblem } from "./http-problem.ts";
import type { ProblemCode } from "./problem-types.ts";

/** The parts of a problem response. */
export type Problem = {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: readonly ValueFault[] | undefined;
  /** Other members of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
};

/** The problem of an error. Logs an unexpected error with the id of its request. */
export function problemOf(error: unknown, requestId: string, log: Log): Problem {
  if (error instanceof HttpProblem) {
    return { code: error.code, detail: error.message, headers: error.headers, errors: error.errors };
  }
  if (error instanceof TidegateError) {
    const errors = error instanceof ChangeRejected ? error.faults : undefined;
    const { later } = error instanceof ChangedSince ? error : {};
    const more = later && { later: { event: later.id, by: later.recordedBy, at: instantText(later.at) } };
    return { code: error.code, detail: error.message, headers: {}, errors, ...(more && { more }) };
  }
  log.error({ requestId, cause: error instanceof Error ? error.stack : String(error) }, "internal error");
  const detail = "Tidegate failed. The log contains the cause with this request id.";
  return { code: "internal-error", detail, headers: {}, errors: undefined };
}
