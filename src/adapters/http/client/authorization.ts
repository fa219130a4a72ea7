import { isBearerToken } from "../../../domain/evaluation/token.ts";
import { HttpProblem } from "../problems/http-problem.ts";

const credentials = /^([A-Za-z][A-Za-z0-9-]*)(?: +(\S+))?$/;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * A client's token in an Authorization header: `Bearer` with a `b64token` (RFC 6750), or any token as the password of
 * `Basic`. `undefined` without a header. Throws `HttpProblem` for any other header.
 */
export const tokenOf = (authorization: string | undefined): string | undefined =>
  secretIn(authorization, (value) =>
    isBearerToken(value)
      ? value
      : malformed(
          "a Bearer token has only A-Z a-z 0-9 . _ ~ + / - and a trailing =; send other tokens as the password of Basic",
        ),
  );

/**
 * The secret in an Authorization header: the text after `Bearer`, or the password of `Basic` with any user name (RFC
 * 7617). `undefined` without a header. Throws `HttpProblem` for any other header.
 */
export const secretOf = (authorization: string | undefined): string | undefined =>
  secretIn(authorization, (value) => value);

/**
 * The secret in an Authorization header as Unleash's SDKs send it, without a scheme; or as `secretOf` reads it.
 * `undefined` without a header.
 */
export const bareSecretOf = (authorization: string | undefined): string | undefined =>
  /^(bearer|basic)( |$)/i.test(authorization ?? "") ? secretOf(authorization) : authorization || undefined;

function secretIn(authorization: string | undefined, ofBearer: (value: string) => string): string | undefined {
  if (authorization === undefined) return undefined;
  const [, scheme = "", value = ""] = credentials.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return value === "" ? malformed("no token follows Bearer") : ofBearer(value);
    case "basic":
      return passwordOf(value);
    case "":
      return malformed("expected a scheme and one credential");
    default:
      throw new HttpProblem(
        "unsupported-auth-scheme",
        "Unsupported authorization scheme. Use Bearer or Basic, or omit the header.",
      );
  }
}

function passwordOf(value: string): string {
  if (!base64.test(value)) return malformed("the Basic credential is not Base64");
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return malformed("the Basic credential has no colon");
  return pair.slice(colon + 1) || malformed("the Basic password is empty; send the token as the password");
}

function malformed(fault: string): never {
  throw new HttpProblem("malformed-authorization", `Malformed Authorization header: ${fault}.`);
}
