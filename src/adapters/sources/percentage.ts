import { z } from "zod";
import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import { bucketOf, includes, percentOf, shareOf } from "../../domain/targeting/share.ts";
import { defineSource } from "./_catalogue/source.ts";
import { thenSync } from "./_catalogue/then-sync.ts";
import { parsedRules } from "./_rules/parsed-rules.ts";

const defaultField = "targetingKey";

const rule = z.strictObject({
  percentage: z
    .number()
    .refine((percentage) => shareOf(percentage) !== undefined, "is invalid (expected 0 to 100 in steps of 0.01)")
    .describe("The percentage that has the feature: 0 to 100 in steps of 0.01."),
  by: z
    .string()
    .regex(
      /^(?:targetingKey|userId|location|attributes\.[A-Za-z][A-Za-z0-9_-]{0,63})$/,
      "is an unknown field (expected targetingKey, userId, location or attributes.<name>)",
    )
    .exactOptional()
    .describe(
      "The field that selects the bucket: `targetingKey` (default), `userId`, `location` or `attributes.<name>`.",
    ),
  group: z
    .string()
    .min(1)
    .max(200)
    .exactOptional()
    .describe("Features of one group include the same ids first. Default: the feature key."),
});

type Rule = z.output<typeof rule>;

/** Replaces an invalid rule: 0 %, because a mistake must not switch a feature on for everyone. */
const noOne: Rule = { percentage: 0 };

export const source = defineSource({
  summary: "Switches features on for a percentage of users, in steps of 0.01 %.",
  options: ({ connection, collection }) =>
    z.strictObject({
      connection: connection.describe("The connection with the rules."),
      collection: collection
        .default("percentages")
        .describe("The collection of the rules, one for each feature. Features without a rule are absent."),
    }),
  example: { connection: "features", collection: "percentages" },
  editable: { rules: () => rule },
  deterministic: true,
  // Off for a caller without the field that the rule buckets by, because such a caller could be anyone.
  create: (_, { readRules, report }) => {
    const parsed = parsedRules(rule, report, noOne);
    return {
      varyBy: ["targetingKey", "userId", "locations", "attributes"],
      resolve: (context) =>
        thenSync(readRules(), (cached) => {
          const features = new Map<FeatureKey, Resolution>();
          for (const [feature, rule] of parsed(cached.value))
            features.set(feature, resolutionOf(feature, rule, context));
          return { features, dependencies: [cached], validUntil: Number.POSITIVE_INFINITY };
        }),
    };
  },
});

function resolutionOf(
  feature: FeatureKey,
  { percentage, by = defaultField, group = feature }: Rule,
  context: EvaluationContext,
): Resolution {
  const id = valueIn(context, by);
  if (id === undefined)
    return { on: false, value: false, reason: "DEFAULT", metadata: { share: percentage, lacks: by } };
  const bucket = bucketOf(group, id);
  const on = includes(shareOf(percentage) ?? 0, bucket);
  return { on, value: on, reason: "SPLIT", metadata: { share: percentage, bucket: percentOf(bucket), by } };
}

function valueIn(
  { targetingKey, userId, locations, attributes }: EvaluationContext,
  field: string,
): string | undefined {
  if (field === "targetingKey") return targetingKey;
  if (field === "userId") return userId;
  if (field === "location") return locations?.[0];
  const name = field.slice("attributes.".length);
  const value = attributes && Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  return value === undefined || typeof value === "object" ? undefined : String(value);
}
