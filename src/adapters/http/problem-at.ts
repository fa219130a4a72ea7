import type { ValueFault } from "../../domain/errors.ts";
import { searchErrorMembers } from "./feeds/search-error-members.ts";
import { ofrepError } from "./ofrep/ofrep-error.ts";
import { problemDetails } from "./problems/problem-details.ts";
import { type ProblemCode, problemTypes } from "./problems/problem-types.ts";
import { unleashError } from "./unleash/unleash-error-members.ts";

/** The response to a failure of a request for a path: problem details, with the members that its protocol adds. */
export function problemAt(
  path: string,
  code: ProblemCode,
  detail: string,
  requestId: string,
  errors?: readonly ValueFault[],
  members?: Readonly<Record<string, unknown>>,
): ReturnType<typeof problemDetails> {
  const protocolMembers = ofrepError(path, code, detail) ?? unleashError(path, code, detail);
  const usual = problemTypes[code].status;
  // OFREP and Unleash have no 422, and their clients expect plain JSON.
  const status = protocolMembers && usual === 422 ? 400 : usual;
  const more = protocolMembers ?? searchErrorMembers(path, code, detail);
  const { headers, body } = problemDetails(code, detail, requestId, errors, { ...members, ...more, status });
  if (protocolMembers) headers["Content-Type"] = "application/json";
  return { status, headers, body };
}
