import type { ValueFault } from "../../../domain/errors.ts";
import { uncached } from "../response-headers.ts";
import { type ProblemCode, type ProblemType, problemTypes } from "./problem-types.ts";

const legacyErrors: Partial<Record<number, { readonly key: string; readonly message: string }>> = {
  401: { key: "auth_error", message: "Unauthorized" },
  404: { key: "url_not_found_error", message: "URL not found" },
  500: { key: "internal_server_error", message: "Internal server error" },
};

const challenge = { "WWW-Authenticate": 'Bearer realm="tidegate", Basic realm="tidegate", charset="UTF-8"' };

/**
 * The response to a failure: RFC 9457 problem details with `code` and `requestId`, plus the `key` and `message` of the
 * service that Tidegate replaces, for its clients.
 */
export function problemDetails(
  code: ProblemCode,
  detail: string,
  requestId: string,
  errors?: readonly ValueFault[],
  more: Readonly<Record<string, unknown>> = {},
): { readonly status: ProblemType["status"]; readonly headers: Record<string, string>; readonly body: string } {
  const { status, title, retryAfter }: ProblemType = problemTypes[code];
  const { key, message } = legacyErrors[status] ?? { key: `${code.replaceAll("-", "_")}_error`, message: title };
  const body = JSON.stringify({
    type: `/problems/${code}`,
    title,
    status,
    detail,
    code,
    requestId,
    key,
    message,
    errors,
    ...more,
  });
  return {
    status,
    headers: {
      ...uncached,
      ...(status === 401 && challenge),
      ...(retryAfter !== undefined && { "Retry-After": `${retryAfter}` }),
      "Content-Type": "application/problem+json",
      "X-Request-Id": requestId,
      "Content-Length": `${Buffer.byteLength(body)}`,
    },
    body,
  };
}
