import { z } from "@hono/zod-openapi";
import { explicitContext } from "../../../application/evaluation/identify-caller.ts";
import type { Question } from "../../../application/explain/explained.ts";
import { TokenRejected } from "../../../domain/errors.ts";
import { instant } from "../../instant.ts";
import type { CallContext } from "../client/call-context.ts";
import { HttpProblem } from "../problems/http-problem.ts";

/** Members of a body that describe a caller and its context. */
export const contextMembers = {
  user: z.string().min(1).max(200).optional().describe("The user id. Default: an anonymous client."),
  token: z.string().min(1).optional().describe("A client token instead of `user`. It is neither logged nor returned."),
  location: z.string().min(1).max(200).optional().describe("The location. Default: the result of the locators."),
  ip: z
    .union([z.ipv4().openapi({ format: "ipv4" }), z.ipv6().openapi({ format: "ipv6" })])
    .optional()
    .describe("The IP address of the client."),
  targetingKey: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("The client id for rollouts, without `user` and `token`."),
  attributes: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .openapi({ description: "Attributes that the configuration declares.", example: { plan: "gold" } }),
  at: instant()
    .openapi({ type: "string", format: "date-time" })
    .optional()
    .describe("The time of the evaluation (default: now)."),
};

const members = z.strictObject(contextMembers);
type ContextMembers = z.output<typeof members>;

/** Rejects a user together with a token, and a client id together with one of them. */
export const isOneCaller = <Schema extends z.ZodType<ContextMembers>>(schema: Schema) =>
  schema
    .refine(({ user, token }) => user === undefined || token === undefined, {
      path: ["token"],
      error: "cannot be combined with user; send one of them",
    })
    .refine(
      ({ user, token, targetingKey }) => targetingKey === undefined || (user === undefined && token === undefined),
      {
        path: ["targetingKey"],
        error: "cannot be combined with user or token, whose targeting key is the user id; omit it",
      },
    );

/** A caller and its context. */
export const ContextBody = isOneCaller(members).openapi("ExplainedContext", {
  example: { user: "1", location: "madrid", at: "2026-11-20T19:00:00+01:00" },
});

/** The question in the members. Throws `InvalidContext` for attributes that are not declared. */
export function questionOf(
  { user, token, at, location, ip, targetingKey: clientId, attributes }: ContextMembers,
  callContext: CallContext,
): Question {
  return {
    caller: user !== undefined ? { userId: user } : token !== undefined ? { token } : undefined,
    requestContext: explicitContext({
      location,
      ip,
      clientId,
      attributes: attributes && callContext.attributes.checked(attributes),
    }),
    at,
  };
}

/**
 * Answers a question. The request's own credential is valid; if the token in the body at `pointer` is unknown, the
 * response is 422, not 401.
 */
export async function withToken<Result>(pointer: string, answer: () => Promise<Result>): Promise<Result> {
  try {
    return await answer();
  } catch (cause) {
    if (!(cause instanceof TokenRejected)) throw cause;
    const detail = "is unknown; clients with it get 401";
    throw new HttpProblem("validation-failed", `Unknown token in ${pointer}. Clients with it get 401.`, {}, [
      { pointer, detail },
    ]);
  }
}
