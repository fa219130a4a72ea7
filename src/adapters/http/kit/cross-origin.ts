import type { Context } from "hono";

/**
 * Whether a page of another origin sent the request. Reads `Sec-Fetch-Site`, which is right even if a proxy changes the
 * host; older browsers send only `Origin`. Clients other than browsers send neither.
 */
export function isCrossOrigin(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = c.req.header("origin");
  return origin !== undefined && !isOwn(origin, c.req.header("host"));
}

function isOwn(origin: string, host: string | undefined): boolean {
  // The origin `null` is opaque.
  if (!URL.canParse(origin) || host === undefined) return false;
  const { protocol, host: originHost } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost;
}
