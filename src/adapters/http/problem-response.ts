import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ChangeRejected, TidegateError } from "../../domain/errors.ts";
import type { Log } from "../../infrastructure/logger.ts";
import { logRejectedChange } from "./admin/rejected-change.ts";
import { bulkPath } from "./ofrep/ofrep-fast-path.ts";
import { problemAt } from "./problem-at.ts";
import { HttpProblem, notFound } from "./problems/http-problem.ts";
import { problemOf } from "./problems/problem-of.ts";
import { securityHeaders } from "./response-headers.ts";
import { methods } from "./server/methods.ts";
import { requestId } from "./server/request-id.ts";
import { isUnleashPath } from "./unleash/unleash-error-members.ts";

/** The response to a request that failed. Logs rejected changes, and errors that are not the caller's. */
export function problemResponse(error: Error, c: Context, log: Log): Response {
  const id = requestId(c.req.header("x-request-id"));
  if (error instanceof TidegateError && !(error instanceof ChangeRejected) && !isSafe(c)) {
    logRejectedChange(log, error, id);
  }
  const { code, detail, headers: extra, errors, more } = problemOf(error, id, log);
  const { status, headers, body } = problemAt(new URL(c.req.url).pathname, code, detail, id, errors, more);
  return new Response(body, { status, headers: { ...headers, ...extra } });
}

/** Whether a request changes nothing. OFREP and Unleash evaluate by POST. */
const isSafe = ({ req }: Context): boolean =>
  ["GET", "HEAD"].includes(req.method) || req.path.startsWith(bulkPath) || isUnleashPath(req.path);

/** Throws 405 with `Allow` if the path supports another method, otherwise 404. Answers OPTIONS with `Allow`. */
export function unmatched(app: OpenAPIHono, c: Context): Response {
  const allowed = methods.filter((method) =>
    app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method !== "ALL"),
  );
  if (allowed.length === 0 || allowed.includes(c.req.method)) {
    throw notFound();
  }
  const allow = [...allowed, ...(allowed.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  if (c.req.method === "OPTIONS")
    return new Response(null, { status: 204, headers: { ...securityHeaders, Allow: allow } });
  throw new HttpProblem("method-not-allowed", `This path supports ${allow}.`, { Allow: allow });
}
