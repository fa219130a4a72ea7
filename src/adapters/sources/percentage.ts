import { z } from "zod";
import type { EvaluationContext } from "../../domain/evaluation-context.ts";
import type { FeatureKey, Resolution } from "../../domain/feature.ts";
import type { Answer, FeatureResolver } from "../../domain/feature-resolver.ts";
import type { Held } from "../../domain/held.ts";
import { bucketOf, percentOf, shareOf, takesIn } from "../../domain/share.ts";
import type { SettingsByFeature, StoredSettings } from "../../domain/stored-settings.ts";
import { ParsedSettings } from "../parsed-settings.ts";
import { defineSource, type SourceHost } from "../source.ts";

const defaultField = "targetingKey";

const setting = z.strictObject({
  percentage: z
    .number()
    .refine((percentage) => shareOf(percentage) !== undefined, "is no percentage; write 0 to 100 in steps of 0.01")
    .describe("The share of those that get the feature: 0 to 100 in steps of 0.01."),
  by: z
    .string()
    .regex(
      /^(?:targetingKey|userId|location|attributes\.[A-Za-z][A-Za-z0-9_-]{0,63})$/,
      "is no field to go by; write targetingKey, userId, location or attributes.<name>",
    )
    .exactOptional()
    .describe(
      "What people are counted by: `targetingKey`, unless it says `userId`, `location` or `attributes.<name>`.",
    ),
  group: z
    .string()
    .min(1)
    .max(200)
    .exactOptional()
    .describe("Features of one group take in the same people first. Left out, each goes by its own key."),
});

type Setting = z.output<typeof setting>;

/** Nobody is to get by a mistake what was to be for some. */
const nobody: Setting = { percentage: 0 };

export const source = defineSource({
  summary: "Switches features on for a steady share of people, in steps of 0.01 percent.",
  options: ({ connection, collection }) =>
    z.strictObject({
      connection: connection.describe("The connection that holds the percentages."),
      collection: collection
        .default("percentages")
        .describe("The collection in which they are kept, one for each feature. What has none is unknown here."),
    }),
  example: { connection: "features", collection: "percentages" },
  setting: () => setting,
  replayable: true,
  create: (options, host) => new PercentageFeatureResolver(options, host),
});

/** On for who falls into the share; off also for who has nothing to be counted by, as that may be anybody. */
class PercentageFeatureResolver implements FeatureResolver {
  readonly reads = ["targetingKey", "userId", "locations", "attributes"] as const;
  readonly settings: StoredSettings;
  readonly #parsed: ParsedSettings<Setting>;

  constructor(options: Pick<StoredSettings, "connection" | "collection">, { store, warn }: SourceHost) {
    const { settings, documents } = store(options.connection);
    this.settings = { ...options, settings, documents };
    this.#parsed = new ParsedSettings(setting, warn, nobody);
  }

  resolve(context: EvaluationContext): Answer | Promise<Answer> {
    const held = this.settings.settings.read(this.settings.collection);
    return held instanceof Promise ? held.then((read) => this.#answer(read, context)) : this.#answer(held, context);
  }

  #answer(held: Held<SettingsByFeature>, context: EvaluationContext): Answer {
    const features = new Map<FeatureKey, Resolution>();
    for (const [feature, said] of this.#parsed.of(held.value))
      features.set(feature, resolutionOf(feature, said, context));
    return { features, from: [held], validUntil: Number.POSITIVE_INFINITY };
  }
}

function resolutionOf(
  feature: FeatureKey,
  { percentage, by = defaultField, group = feature }: Setting,
  context: EvaluationContext,
): Resolution {
  const id = valueIn(context, by);
  if (id === undefined)
    return { on: false, value: false, reason: "DEFAULT", metadata: { share: percentage, lacks: by } };
  const bucket = bucketOf(group, id);
  const on = takesIn(shareOf(percentage) ?? 0, bucket);
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
  return value === undefined ? undefined : String(value);
}
