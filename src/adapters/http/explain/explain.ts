import { z } from "@hono/zod-openapi";
import type { ExplainFeatures } from "../../../application/explain/explain-features.ts";
import { isServedKey, servedKeyRule } from "../../../domain/evaluation/feature.ts";
import { explainedJson } from "../../explained-json.ts";
import type { CallContext } from "../client/call-context.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { contextMembers, isOneCaller, questionOf, withToken } from "./context-body.ts";
import { ExplanationBody } from "./explanation-body.ts";

const maxFeatures = 1_000;

const ExplainBody = isOneCaller(
  z.strictObject({
    ...contextMembers,
    features: z
      .array(z.string().refine(isServedKey, `is invalid (expected ${servedKeyRule})`))
      .min(1)
      .max(maxFeatures)
      .optional()
      .describe("The features to explain, known or not. Default: all features that a source lists."),
  }),
).openapi("ExplainRequest", { example: { user: "1", location: "madrid", features: ["feature_1"] } });

/** `POST /admin/v1/explain`: explains why features are on or off for a context. */
export function explainRoutes(
  routes: OperatorRoutes,
  { explainFeatures, callContext }: { readonly explainFeatures: ExplainFeatures; readonly callContext: CallContext },
) {
  return routes.add(
    {
      method: "post",
      path: "/admin/v1/explain",
      summary: "Explain why features are on or off",
      description:
        "Evaluates features for a context, now or at another time, and returns the cause of each state. A past time uses the sets and rules in the event log and the clock of that time; a future time uses only its clock. Changes nothing.",
      tags: ["Explanations"],
      scope: "viewer",
      body: ExplainBody,
      responses: { 200: jsonResponse("The state of each feature and its cause.", ExplanationBody) },
      problems: ["invalid-context", "validation-failed", "source-unavailable", "log-unavailable"],
    },
    async (_, { body: { features, ...context } }) => {
      const question = { ...questionOf(context, callContext), features };
      const explained = await withToken("/token", () => explainFeatures.explain(question));
      return explainedJson(explained) satisfies z.output<typeof ExplanationBody>;
    },
  );
}
