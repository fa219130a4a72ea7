import type { Context } from "hono";

/**
 * Whether a page of another origin makes a request. Browsers say so themselves (`Sec-Fetch-Site`), also behind a proxy that
 * changes the host; older ones only name the page's origin. What is no browser says neither.
 */
export function isCrossOrigin(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = c.req.header("origin");
  return origin !== undefined && !isOwn(origin, c.req.header("host"));
}

function isOwn(origin: string, host: string | undefined): boolean {
  // An opaque origin is "null".
  if (!URL.canParse(origin) || host === undefined) return false;
  const { protocol, host: originHost } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost;
}
