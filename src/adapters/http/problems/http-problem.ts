import type { ValueFault } from "../../../domain/errors.ts";
import type { ProblemCode } from "./problem-types.ts";

/** A failure that exists only in the HTTP adapter. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: readonly ValueFault[] | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    errors?: readonly ValueFault[],
  ) {
    super(detail);
    this.code = code;
    this.headers = headers;
    this.errors = errors;
  }
}

/** The problem of a path without a route or resource. */
export const notFound = (): HttpProblem =>
  new HttpProblem("not-found", "No resource has this path. /docs lists the routes.");
