import { z } from "@hono/zod-openapi";
import { type AssessedImpact, type AssessImpact, namedChanges } from "../../../application/features/assess-impact.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { featureStates } from "../../../domain/features/feature-state.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, innerFeatureParameter } from "../routing/path-parameters.ts";

/** The users for whom a feature is on, or who gain or lose it. */
export const AudienceBody = z
  .object({
    everyone: z.boolean().describe("Whether every client has it; the rest is then part of everyone."),
    users: z.int().nullable().describe("Users with the feature in their own set. Null if unknown."),
    locations: z.array(z.string()).readonly(),
    shares: z
      .array(z.object({ source: z.string(), percentage: z.number() }))
      .readonly()
      .describe("Shares of clients, in percent."),
    rules: z.array(z.string()).readonly().describe("Sources whose other rules have it on for some clients."),
  })
  .openapi("Audience");

const State = z.enum(featureStates);

/** The users who gain and lose a feature by a change. */
export const ImpactBody = z
  .object({
    source: z.string().describe("The source that changes."),
    stateBefore: State,
    stateAfter: State,
    gains: AudienceBody,
    loses: AudienceBody,
    complete: z
      .boolean()
      .describe("Whether the numbers are exact: all users are counted, and no rule or partial gate matters."),
    knownUsers: z
      .object({ gain: z.int(), lose: z.int(), of: z.int() })
      .optional()
      .describe(
        "Only for a rule, without location and attributes: how many of the users with a set of their own gain and lose it in the source.",
      ),
    opens: z.object({ at: z.iso.datetime(), gains: AudienceBody }).optional().openapi({
      description:
        "Only for a rule that is off until its next window: when the window opens, and who gains the feature then.",
    }),
    evaluationsLastHour: z
      .int()
      .nullable()
      .describe("Evaluations in the last hour, on and off. Null if they are not counted."),
  })
  .openapi("Impact", {
    example: {
      source: "killed",
      stateBefore: "on-for-some",
      stateAfter: "killed",
      gains: { everyone: false, users: 0, locations: [], shares: [], rules: [] },
      loses: {
        everyone: false,
        users: 12480,
        locations: ["es"],
        shares: [{ source: "rollout", percentage: 25 }],
        rules: [],
      },
      complete: true,
      evaluationsLastHour: 23820,
    },
  });

const Query = z.strictObject({
  change: z
    .enum(namedChanges)
    .describe(
      "`kill` and `unkill`: the kill switch. `on` and `off`: the set of a grant without gates. `open` and `close`: the set of a gate.",
    ),
  source: z
    .string()
    .optional()
    .openapi({ description: "The source that changes. Default: the first that fits.", example: "active" }),
});

/** `GET /admin/v1/features/{feature}/impact`: the users who gain and lose a feature by a change, before it is made. */
export const impactRoutes = (routes: OperatorRoutes, { assessImpact }: { readonly assessImpact: AssessImpact }) =>
  routes.add(
    {
      method: "get",
      path: "/admin/v1/features/{feature}/impact",
      summary: "Assess a change before it is made",
      description:
        "Returns who gains and who loses the feature. Changes nothing. For a change of one set or rule, use its dry run, whose `impact` is the same.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [innerFeatureParameter],
      query: Query,
      responses: { 200: jsonResponse("The impact.", ImpactBody) },
      problems: ["unknown-source", "not-changeable", "no-kill-switch", "source-unavailable"],
    },
    async (c, { query: { change, source } }) => impactJson(await assessImpact.ofNamed(featureIn(c), change, source)),
  );

/** An impact in JSON. */
export const impactJson = ({ opens, ...impact }: AssessedImpact): z.output<typeof ImpactBody> => ({
  ...impact,
  ...(opens && { opens: { ...opens, at: instantText(opens.at) } }),
});
