import type { Context } from "hono";
import { HttpProblem } from "../problems/http-problem.ts";

const usable = /^[\x21-\x7e]{1,255}$/;

/** OpenAPI description of the `Idempotency-Key` header. */
export const idempotencyKeyParameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "1 to 255 visible ASCII characters, chosen by the caller. A repeated request with the same key, credential and body is not applied again; it returns the first response.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
} as const;

/** The idempotency key of a request; `undefined` without one. Throws `HttpProblem` `invalid-header` if malformed. */
export function idempotencyKeyOf(c: Context): string | undefined {
  const key = c.req.header("idempotency-key");
  if (key === undefined || usable.test(key)) return key;
  throw new HttpProblem(
    "invalid-header",
    "Invalid Idempotency-Key (expected 1 to 255 visible ASCII characters, sent once).",
  );
}
