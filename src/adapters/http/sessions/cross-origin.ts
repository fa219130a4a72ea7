import type { Context } from "hono";
import { HttpProblem } from "../problems/http-problem.ts";

/**
 * Whether a page of another origin sent the request. Reads `Sec-Fetch-Site`, which is right even if a proxy changes the
 * host; older browsers send only `Origin`. Clients other than browsers send neither.
 */
function isCrossOrigin(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = c.req.header("origin");
  return origin !== undefined && !isOwn(origin, c.req.header("host"));
}

/** Whether the request proves that a page of this origin sent it. */
function isSameOrigin(c: Context): boolean {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  return origin !== undefined && isOwn(origin, c.req.header("host"));
}

/** Rejects requests from pages of other origins. Throws `HttpProblem` `cross-origin`. */
export function rejectCrossOrigin(c: Context): void {
  if (!isCrossOrigin(c)) return;
  throw new HttpProblem(
    "cross-origin",
    "Operator routes reject requests from pages of other origins. Call them from a page that Tidegate serves, or from outside a browser.",
  );
}

/**
 * Rejects changes by a cookie without the origin of their page, because a browser sends a cookie by itself. Throws
 * `HttpProblem` `cross-origin`.
 */
export function requireSameOrigin(c: Context): void {
  if (["GET", "HEAD"].includes(c.req.method) || isSameOrigin(c)) return;
  throw new HttpProblem(
    "cross-origin",
    "A change by a session cookie needs the header Origin or Sec-Fetch-Site of its page. Outside a browser, send Authorization: Bearer with a credential.",
  );
}

function isOwn(origin: string, host: string | undefined): boolean {
  // The origin `null` is opaque.
  if (!URL.canParse(origin) || host === undefined) return false;
  const { protocol, host: originHost } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost;
}
