import type { Context } from "hono";
import { HttpProblem } from "./http-problem.ts";

const usable = /^[\x21-\x7e]{1,255}$/;

/** OpenAPI description of the `Idempotency-Key` header. */
export const idempotencyKeyParameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "1 to 255 visible ASCII characters, chosen by the caller. Sent again with the same credential and body, the request is not done again, and is answered as the first was.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
} as const;

/** The idempotency key of a request; `undefined` without one. Throws `HttpProblem` `invalid-header` if malformed. */
export function idempotencyKeyOf(c: Context): string | undefined {
  const key = c.req.header("idempotency-key");
  if (key === undefined || usable.test(key)) return key;
  throw new HttpProblem("invalid-header", "The Idempotency-Key is 1 to 255 visible ASCII characters, sent once.");
}
