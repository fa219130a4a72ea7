import { z } from "@hono/zod-openapi";
import type { ReadUsage, UsageSeries } from "../../../application/usage/read-usage.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { inOrder, isServedKey, servedKeyRule } from "../../../domain/evaluation/feature.ts";
import { type UsageSpan, type UsageStep, usageSteps } from "../../../domain/usage/usage-store.ts";
import { instant } from "../../instant.ts";
import { instantJson } from "../../instant-json.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, innerFeatureParameter } from "../routing/path-parameters.ts";

const maxFeatures = 1_000;

const time = () => instant().openapi({ type: "string", format: "date-time" }).optional();
const timeText = z.iso.datetime();
const count = z.int().openapi({ type: "integer" });

const span = {
  from: time().describe("The begin. Default: 24 points of an hour."),
  to: time().describe("The end, excluded (default: now)."),
  step: z
    .enum(Object.keys(usageSteps) as [UsageStep, ...UsageStep[]])
    .optional()
    .describe(
      "The length of a point. Minutes are kept for 2 hours, hours for 8 days, days (UTC) for 400 days. Default: the finest that is kept since `from`.",
    ),
};

const spanFields = {
  step: z.enum(["minute", "hour", "day"]),
  from: timeText.describe("The begin of the first point."),
  to: timeText.describe("The end, excluded."),
  countedSince: timeText.nullable().describe("The begin of counting. Null if nothing was counted yet."),
};

const lastUsed = timeText
  .nullable()
  .describe(
    "The minute of the last evaluation that had the feature on, or that asked for it by its key. Null if there is none since `countedSince`.",
  );

const series = {
  on: z.array(count).readonly().describe("Evaluations that had the feature on, for each point."),
  off: z.array(count).readonly().describe("Evaluations that had the feature off, for each point."),
};

const UsageBody = z
  .object({
    feature: z.string(),
    ...spanFields,
    lastUsed,
    total: z.object({ on: count, off: count }),
    ...series,
    results: z
      .array(
        z.object({
          variant: z.string().nullable(),
          on: z.boolean(),
          via: z
            .enum(["response", "flag", "report"])
            .describe(
              "`response`: part of a response with all features. `flag`: a server asked for the feature by its key. `report`: an SDK reported it.",
            ),
          count,
        }),
      )
      .readonly()
      .describe("The total by variant, result and way, the largest first."),
  })
  .openapi("Usage", {
    example: {
      feature: "feature_3",
      step: "hour",
      from: "2026-11-21T08:00:00.000Z",
      to: "2026-11-21T09:30:00.000Z",
      countedSince: "2026-11-01T10:12:00.000Z",
      lastUsed: "2026-11-21T09:29:00.000Z",
      total: { on: 5200, off: 480 },
      on: [4100, 1100],
      off: [400, 80],
      results: [
        { variant: null, on: true, via: "response", count: 5200 },
        { variant: null, on: false, via: "response", count: 480 },
      ],
    },
  });

const UsageListBody = z
  .object({
    ...spanFields,
    features: z.array(z.object({ feature: z.string(), lastUsed, ...series })).readonly(),
  })
  .openapi("UsageList");

const ListBody = z
  .strictObject({
    ...span,
    features: z
      .array(z.string().refine(isServedKey, `is invalid (expected ${servedKeyRule})`))
      .max(maxFeatures)
      .optional()
      .describe(
        `The features, at most ${maxFeatures}. Default: the ${maxFeatures} that were evaluated most often, in this order.`,
      ),
  })
  .openapi("UsageRequest", { example: { features: ["feature_1", "feature_2"] } });

/** `GET /admin/v1/features/{feature}/usage` and `POST /admin/v1/usage`: how often features were evaluated. */
export function usageRoutes(routes: OperatorRoutes, { readUsage }: { readonly readUsage: ReadUsage }) {
  const one = routes.add(
    {
      method: "get",
      path: "/admin/v1/features/{feature}/usage",
      summary: "Get how often a feature was evaluated",
      description:
        "Counts responses to clients of all protocols, evaluations of single flags, and what SDKs report. Streams are not counted. Other workers and instances add their counts within about 70 seconds.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [innerFeatureParameter],
      query: z.strictObject(span),
      responses: { 200: jsonResponse("The evaluations.", UsageBody) },
      problems: ["log-unavailable"],
    },
    async (c, { query }) => {
      const feature = featureIn(c);
      const chosen = chosenSpan(readUsage, query);
      if (!chosen) throw new HttpProblem("invalid-query", noCounts);
      const { on, off, sums, lastUsed, since } = await readUsage.of(feature, chosen);
      const body: z.output<typeof UsageBody> = {
        feature,
        ...spanJson(chosen, since),
        lastUsed: instantJson(lastUsed),
        total: { on: sumOf(on), off: sumOf(off) },
        on,
        off,
        results: sums.map(({ variant = null, on: isOn, via, count }) => ({ variant, on: isOn, via, count })),
      };
      return body;
    },
  );

  const many = routes.add(
    {
      method: "post",
      path: "/admin/v1/usage",
      summary: "Get how often many features were evaluated",
      description: "Changes nothing.",
      tags: ["Admin"],
      scope: "viewer",
      body: ListBody,
      isBodyOptional: true,
      responses: { 200: jsonResponse("The evaluations of each feature.", UsageListBody) },
      problems: ["validation-failed", "log-unavailable"],
    },
    async (_, { body: { features, ...input } }) => {
      const chosen = chosenSpan(readUsage, input);
      if (!chosen) throw new HttpProblem("validation-failed", noCounts, {}, [{ pointer: "/from", detail: noCounts }]);
      const [found, { since, uses }] = await Promise.all([
        readUsage.list(chosen, features),
        readUsage.lastUses(features),
      ]);
      const body: z.output<typeof UsageListBody> = {
        ...spanJson(chosen, since),
        features: (features ?? mostUsed(found)).map((feature) => ({
          feature,
          lastUsed: instantJson(uses.get(feature)),
          ...(found.get(feature) ?? readUsage.none(chosen)),
        })),
      };
      return body;
    },
  );

  return [one, many] as const;
}

function mostUsed(found: ReadonlyMap<string, UsageSeries>): readonly string[] {
  const totals = new Map([...found].map(([feature, { on, off }]) => [feature, sumOf(on) + sumOf(off)]));
  const total = (feature: string) => totals.get(feature) ?? 0;
  return inOrder(found.keys())
    .sort((one, other) => total(other) - total(one))
    .slice(0, maxFeatures);
}

const noCounts =
  "No counts are kept for this time. Let `from` be before `to`, within 2 hours for minutes, 8 days for hours and 400 days for days.";

type GivenSpan = { from?: Instant | undefined; to?: Instant | undefined; step?: UsageStep | undefined };

const chosenSpan = (readUsage: ReadUsage, { from, to, step }: GivenSpan): UsageSpan | undefined =>
  readUsage.spanOf({ from, until: to, step });

const spanJson = ({ step, from, until }: UsageSpan, since: Instant | undefined) => ({
  step,
  from: instantText(from),
  to: instantText(until),
  countedSince: instantJson(since),
});

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, each) => sum + each, 0);
