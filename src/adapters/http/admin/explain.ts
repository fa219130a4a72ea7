import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { explicitContext } from "../../../application/evaluation/identify-caller.ts";
import type { ExplainFeatures } from "../../../application/explain/explain-features.ts";
import { TokenRejected } from "../../../domain/errors.ts";
import { isServedKey, servedKeyRule } from "../../../domain/evaluation/feature.ts";
import { explainedJson } from "../../explained-json.ts";
import { instant } from "../../instant.ts";
import type { CallContext } from "../client/call-context.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { HttpProblem } from "../kit/http-problem.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { uncached } from "../kit/response-headers.ts";
import { ExplanationBody } from "./explanation-body.ts";

const maxFeatures = 1_000;

const ExplainBody = z
  .strictObject({
    user: z.string().min(1).max(200).optional().openapi({ description: "The user id. Default: an anonymous client." }),
    token: z.string().min(1).optional().openapi({
      description: "A client token instead of `user`. It is neither logged nor returned.",
    }),
    location: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .openapi({ description: "The location. Default: the result of the locators." }),
    ip: z
      .union([z.ipv4().openapi({ format: "ipv4" }), z.ipv6().openapi({ format: "ipv6" })])
      .optional()
      .openapi({ description: "The IP address of the client." }),
    targetingKey: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .openapi({ description: "The client id for rollouts, without `user` and `token`." }),
    attributes: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .openapi({ description: "Attributes that the configuration declares.", example: { plan: "gold" } }),
    at: instant()
      .openapi({ type: "string", format: "date-time" })
      .optional()
      .openapi({ description: "The time of the evaluation (default: now)." }),
    features: z
      .array(z.string().refine(isServedKey, `is invalid (expected ${servedKeyRule})`))
      .min(1)
      .max(maxFeatures)
      .optional()
      .openapi({ description: "The features to explain, known or not. Default: all features that a source lists." }),
  })
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
  )
  .openapi("ExplainRequest", { example: { user: "1", location: "madrid", features: ["feature_1"] } });

/** `POST /admin/v1/explain`: explains why features are on or off for a context. */
export function explain(
  app: OpenAPIHono,
  operators: Operators,
  explainFeatures: ExplainFeatures,
  callContext: CallContext,
) {
  return checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/explain",
      summary: "Explain why features are on or off",
      description:
        "Evaluates features for a context, now or at another time, and returns the cause of each state. A past time uses the sets and rules in the event log and the clock of that time; a future time uses only its clock. Changes nothing.",
      tags: ["Explanations"],
      ...operators.atLeast("viewer"),
      body: ExplainBody,
      responses: {
        200: { description: "The state of each feature and its cause.", content: jsonContent(ExplanationBody) },
        ...problemResponses(
          "unauthenticated",
          "invalid-context",
          "validation-failed",
          "source-unavailable",
          "log-unavailable",
        ),
      },
    },
    async (c, { body: { user, token, at, features, location, ip, targetingKey: clientId, attributes } }) => {
      const caller = user !== undefined ? { userId: user } : token !== undefined ? { token } : undefined;
      const requestContext = explicitContext({
        location,
        ip,
        clientId,
        attributes: attributes && callContext.attributes.checked(attributes),
      });
      const explained = await explainFeatures.explain({ caller, requestContext, at, features }).catch((cause) => {
        throw cause instanceof TokenRejected ? unknownToken : cause;
      });
      return c.json(explainedJson(explained) satisfies z.output<typeof ExplanationBody>, 200, uncached);
    },
  );
}

/** The request's own credential is valid; only the token in the body is unknown. Hence 422, not 401. */
const unknownToken = new HttpProblem("validation-failed", "Unknown token in /token. Clients with it get 401.", {}, [
  { pointer: "/token", detail: "is unknown; clients with it get 401" },
]);
