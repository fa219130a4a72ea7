import { HttpProblem } from "./problem.ts";

const credentials = /^([A-Za-z][A-Za-z0-9-]*)(?: +(\S+))?$/;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The token in an Authorization header: `Bearer <token>`, or `Basic` with the token as password and any
 * user name (RFC 7617). `undefined` where there is no header; throws `HttpProblem` for any other.
 */
export function tokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [, scheme = "", value = ""] = credentials.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return value || malformed("no token follows Bearer");
    case "basic":
      return passwordOf(value);
    case "":
      return malformed("it is no scheme with one credential");
    default:
      throw new HttpProblem("unsupported-auth-scheme", "Only Bearer and Basic are known; use one, or send no header.");
  }
}

function passwordOf(value: string): string {
  if (!base64.test(value)) return malformed("what follows Basic is not Base64");
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return malformed("there is no colon between user name and password");
  return pair.slice(colon + 1) || malformed("the password is empty; the token belongs there");
}

function malformed(fault: string): never {
  throw new HttpProblem("malformed-authorization", `The Authorization header cannot be read: ${fault}.`);
}
