import type { Context } from "hono";
import { bareSecretOf } from "../client/authorization.ts";
import { HttpProblem } from "../problems/http-problem.ts";

/** The secret of a request of an Unleash SDK. Throws `HttpProblem` without one: SDKs always send one. */
export function secretIn(c: Context): string {
  const secret = bareSecretOf(c.req.header("authorization"));
  if (secret !== undefined) return secret;
  throw new HttpProblem(
    "malformed-authorization",
    "No Authorization header. Send a client token or an operator credential in it, as the key of the SDK.",
  );
}
