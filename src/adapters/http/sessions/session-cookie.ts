import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { serialize } from "hono/utils/cookie";

/** The cookie over TLS: browsers send it to this host only, and only over TLS. */
const secureName = "__Host-tidegate";
/** The cookie over plain HTTP, as on the loopback address. */
const plainName = "tidegate_session";

/** The session in the cookies of a request. */
export const sessionIn = (c: Context): string | undefined => getCookie(c, secureName) ?? getCookie(c, plainName);

/** A `Set-Cookie` header with a session, for `maxAge` seconds; readable by no script, and sent to no other site. */
export function sessionCookie(c: Context, session: string, maxAge: number): string {
  const secure = isOverTls(c);
  const name = secure ? secureName : plainName;
  return serialize(name, session, { path: "/", httpOnly: true, sameSite: "Strict", secure, maxAge });
}

/** `Set-Cookie` headers that remove the session. */
export const noSession = (): string[] =>
  [secureName, plainName].map((name) =>
    serialize(name, "", { path: "/", httpOnly: true, sameSite: "Strict", secure: name === secureName, maxAge: 0 }),
  );

/**
 * Whether the browser uses TLS, which ends at a proxy. Reads the origin, which browsers send, and the headers of
 * proxies. Nobody gains by sending them: they only make the sender's own cookie stricter.
 */
function isOverTls({ req }: Context): boolean {
  const proto = req.header("x-forwarded-proto") ?? /proto="?(\w+)/i.exec(req.header("forwarded") ?? "")?.[1];
  return req.header("origin")?.startsWith("https:") === true || proto?.split(",")[0]?.trim().toLowerCase() === "https";
}
