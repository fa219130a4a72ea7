import type { ProblemCode } from "../problems/problem-types.ts";

/** The OFREP routes; the group is the key in the path of a single evaluation. */
const route = /^\/ofrep\/v1\/(?:stream|evaluate\/flags(?:\/(.*))?)$/;

const errorCodes: Partial<Record<ProblemCode, string>> = {
  "invalid-json": "PARSE_ERROR",
  "unsupported-media-type": "PARSE_ERROR",
  "payload-too-large": "PARSE_ERROR",
  "bad-request": "PARSE_ERROR",
  "validation-failed": "INVALID_CONTEXT",
  "invalid-context": "INVALID_CONTEXT",
  "foreign-targeting-key": "INVALID_CONTEXT",
  "unknown-flag": "FLAG_NOT_FOUND",
};

/**
 * The members that OFREP adds to an error body; `undefined` for the path of another route. Clients need `errorCode`,
 * and `key` if the request is for one flag.
 */
export function ofrepError(
  path: string,
  code: ProblemCode,
  detail: string,
): Readonly<Record<string, string | undefined>> | undefined {
  const match = route.exec(path);
  if (!match) return undefined;
  const [, key] = match;
  return {
    key: key && decoded(key),
    errorCode: errorCodes[code] ?? "GENERAL",
    errorDetails: detail,
  };
}

/** A key with an invalid escape stays as it is. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
