import { z } from "@hono/zod-openapi";
import type { ExplainFeatures } from "../../../application/explain/explain-features.ts";
import type { Summary } from "../../../application/explain/explained.ts";
import type { ListFeatures } from "../../../application/features/list-features.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import { explainedContextJson, summarizedFeatureJson } from "../../explained-json.ts";
import type { CallContext } from "../client/call-context.ts";
import { cursorOf, defaultLimit, nextCursor, pageQuery, positionIn } from "../routing/cursor.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { ContextBody, questionOf, withToken } from "./context-body.ts";
import { ContextAnswer, SummarizedFeature } from "./explanation-body.ts";

const states = ["true", "false", "undetermined"] as const;
type State = (typeof states)[number];

const Query = z.strictObject({
  on: z.enum(states).optional().describe("Only features that are on, off or undetermined."),
  search: z.string().max(200).optional().describe("Substring of the key, regardless of case."),
  ...pageQuery("features", ", with the same filters"),
});

const SummaryBody = z
  .object({
    context: ContextAnswer,
    features: z.array(SummarizedFeature),
    next: nextCursor,
    total: z.int().describe("The number of features that match all filters."),
    counts: z
      .object({ on: z.int(), off: z.int(), undetermined: z.int() })
      .describe("The number of features that match `search`."),
  })
  .openapi("ExplanationSummary");

/** `POST /admin/v1/explain/summary`: the states of all features for a context, in pages. */
export const explainSummaryRoutes = (
  routes: OperatorRoutes,
  {
    explainFeatures,
    listFeatures,
    callContext,
  }: {
    readonly explainFeatures: ExplainFeatures;
    readonly listFeatures: ListFeatures;
    readonly callContext: CallContext;
  },
) =>
  routes.add(
    {
      method: "post",
      path: "/admin/v1/explain/summary",
      summary: "List the states of all features for a context",
      description:
        "Returns one sentence for each known feature, in pages sorted by key. `POST /admin/v1/explain` returns the results of the sources and the changes behind them. Changes nothing.",
      tags: ["Explanations"],
      scope: "viewer",
      query: Query,
      body: ContextBody,
      responses: { 200: jsonResponse("A page of features.", SummaryBody) },
      problems: ["invalid-cursor", "invalid-context", "validation-failed", "source-unavailable", "log-unavailable"],
    },
    async (_, { query: { on, search = "", limit = defaultLimit, cursor }, body }) => {
      const filter = [on, search, body];
      const after = positionIn(cursor, filter);
      const question = { ...questionOf(body, callContext), features: await listFeatures.knownKeys() };
      const summary = await withToken("/token", () => explainFeatures.summarize(question));
      const { counts, matching } = found(summary, on, search.toLowerCase());
      const start = after === undefined ? 0 : matching.indexOf(after) + 1;
      const page = matching.slice(start, start + limit);
      const last = page.at(-1);
      const response = {
        context: explainedContextJson(summary),
        features: page.map((feature) => summarizedFeatureJson(summary.summarize(feature))),
        ...(last !== undefined && start + limit < matching.length && { next: cursorOf(last, filter) }),
        total: matching.length,
        counts,
      };
      return response satisfies z.output<typeof SummaryBody>;
    },
  );

/** The features that match, and the number of those in each state that contain the text. */
function found({ states: all }: Summary, wanted: State | undefined, text: string) {
  const counts = { on: 0, off: 0, undetermined: 0 };
  const matching: FeatureKey[] = [];
  for (const [feature, on] of all) {
    if (!feature.toLowerCase().includes(text)) continue;
    counts[on === undefined ? "undetermined" : on ? "on" : "off"] += 1;
    if (wanted === undefined || wanted === `${on ?? "undetermined"}`) matching.push(feature);
  }
  return { counts, matching };
}
