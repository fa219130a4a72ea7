import { z } from "@hono/zod-openapi";
import type { CompareContexts, Comparison } from "../../../application/explain/compare-contexts.ts";
import type { ListFeatures } from "../../../application/features/list-features.ts";
import { explainedContextJson, summarizedFeatureJson } from "../../explained-json.ts";
import { featureChangeJson } from "../../known-feature-json.ts";
import type { CallContext } from "../client/call-context.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { ContextBody, questionOf, withToken } from "./context-body.ts";
import { ContextAnswer, changeFields, SummarizedFeature } from "./explanation-body.ts";

const maxFeatures = 1_000;

const CompareBody = z
  .strictObject({ a: ContextBody, b: ContextBody })
  .openapi("CompareRequest", { example: { a: { user: "1" }, b: { user: "1", at: "2026-11-20T19:00:00Z" } } });

const ComparisonBody = z
  .object({
    a: ContextAnswer,
    b: ContextAnswer,
    features: z
      .array(
        z.object({
          feature: z.string(),
          kind: z
            .enum(["turned-on", "turned-off", "value-changed", "undetermined"])
            .describe("From `a` to `b`. `undetermined`: the state is not known in one of them."),
          a: SummarizedFeature,
          b: SummarizedFeature,
          events: z
            .array(
              z.object({
                ...changeFields,
                source: z.string(),
                set: z.string().nullable().describe("The key of the set that changed, if it was one."),
              }),
            )
            .describe(
              "The changes of the results that differ, oldest first. Empty if time, location or attributes alone make the difference.",
            ),
          deciding: z.string().nullable().describe("The event in `events` that made the difference. Null if none did."),
        }),
      )
      .describe(`The features that differ, sorted by key, at most ${maxFeatures}.`),
    differing: z.int(),
    same: z.int(),
    log: z.enum(["available", "unavailable"]).describe("The event log. If it is unavailable, `events` are empty."),
  })
  .openapi("Comparison");

type CompareUseCases = {
  readonly compareContexts: CompareContexts;
  readonly listFeatures: ListFeatures;
  readonly callContext: CallContext;
};

/** `POST /admin/v1/compare`: the differences between two contexts, and the changes behind them. */
export const compareRoutes = (
  routes: OperatorRoutes,
  { compareContexts, listFeatures, callContext }: CompareUseCases,
) =>
  routes.add(
    {
      method: "post",
      path: "/admin/v1/compare",
      summary: "Compare the features of two contexts",
      description:
        "Each context is a caller, its location and attributes, and a time. So it compares two users, two times, or both. Changes nothing.",
      tags: ["Explanations"],
      scope: "viewer",
      body: CompareBody,
      responses: { 200: jsonResponse("The features that differ.", ComparisonBody) },
      problems: ["invalid-context", "validation-failed", "source-unavailable", "log-unavailable"],
    },
    async (_, { body }) => {
      const features = await listFeatures.knownKeys();
      const a = { ...questionOf(body.a, callContext), features };
      const b = { ...questionOf(body.b, callContext), features };
      const pointer = body.b.token === undefined ? "/a/token" : "/b/token";
      const comparison = await withToken(pointer, () => compareContexts(a, b, maxFeatures));
      return comparisonJson(comparison) satisfies z.output<typeof ComparisonBody>;
    },
  );

const comparisonJson = ({ a, b, features, differing, same, isLogAvailable }: Comparison) => ({
  a: explainedContextJson(a),
  b: explainedContextJson(b),
  features: features.map((each) => ({
    feature: each.feature,
    kind: each.kind,
    a: summarizedFeatureJson(each.a),
    b: summarizedFeatureJson(each.b),
    events: each.changes.map(({ source, set = null, ...change }) => ({ ...featureChangeJson(change), source, set })),
    deciding: each.deciding ?? null,
  })),
  differing,
  same,
  log: isLogAvailable ? ("available" as const) : ("unavailable" as const),
});
