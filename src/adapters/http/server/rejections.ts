import type { ServerResponse } from "node:http";
import { problemAt } from "../problem-at.ts";
import type { ProblemCode } from "../problems/problem-types.ts";
import { securityHeaders } from "../response-headers.ts";
import { methods } from "./methods.ts";
import { requestId } from "./request-id.ts";
import { maxTargetLength } from "./target.ts";

/** The methods that some route or the server supports. */
export const implemented: readonly string[] = [...methods, "HEAD", "OPTIONS"];

/** Problems that the server reports before the app, with their details. */
export const details = {
  "uri-too-long": `The request target is longer than ${maxTargetLength} characters. Shorten the query.`,
  "bad-request": "The request is not valid HTTP/1.1. Fix the client, or the proxy in front of Tidegate.",
  "bad-path":
    "The path has an empty or dotted segment, a backslash or an invalid escape. Percent-encode path parameters.",
  "not-implemented": "No route supports this method. Use a method from the Allow header.",
  "unsupported-transfer-coding": "Unsupported transfer coding. Use chunked, or send Content-Length.",
  "credential-in-query":
    "The query contains a credential, and URLs are written to logs. Send Authorization: Bearer <token>, and replace it.",
  "not-found": "The path is outside server.basePath.",
  "headers-too-large": "The headers are larger than 16 KiB. Send fewer or shorter headers.",
  "request-timeout": "The request did not arrive in time. Send it again.",
  "internal-error": "Tidegate failed. The log contains the cause.",
  "expectation-failed": "Unsupported Expect header (supported: 100-continue). Omit it.",
} satisfies Partial<Record<ProblemCode, string>>;
export type Rejection = keyof typeof details;

/** Responds to `OPTIONS *`, which names no path. */
export function sendMethods(outgoing: ServerResponse): number {
  outgoing.writeHead(204, { ...securityHeaders, Allow: implemented.join(", ") }).end();
  return 204;
}

/** Responds with a problem, and closes the connection; returns the status. */
export function sendProblem(outgoing: ServerResponse, code: ProblemCode, detail: string): number {
  const { url = "", headers: sent } = outgoing.req;
  const [path = ""] = url.split("?", 1);
  const { status, headers, body } = problemAt(path, code, detail, requestId(sent["x-request-id"]));
  const more = { Connection: "close", ...allowIn(code) };
  outgoing.writeHead(status, { ...headers, ...more }).end(body);
  return status;
}

/** The header that a problem needs besides. */
export const allowIn = (code: ProblemCode): { readonly Allow?: string } =>
  code === "not-implemented" ? { Allow: implemented.join(", ") } : {};
