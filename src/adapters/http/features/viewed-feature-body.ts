import { z } from "@hono/zod-openapi";
import { keyFields } from "../../../domain/evaluation/key-template.ts";
import { roles } from "../../../domain/evaluation/source.ts";
import { FeatureBody, FeatureChangeBody, FeaturePresence, SourceStatusBody } from "./feature-body.ts";
import { AudienceBody } from "./impact.ts";

const DecidingSource = SourceStatusBody.extend({
  kind: z.string(),
  role: z.enum(roles),
  gatedBy: z.array(z.string()).readonly(),
  default: z
    .enum(["allow", "deny"])
    .nullable()
    .describe("Of a gate: its result for features that it does not list. Null for other roles."),
  editable: z.enum(["set", "rules"]).nullable().describe("What operators can change of it. Null if nothing."),
  fields: z
    .array(z.enum(keyFields))
    .readonly()
    .describe("The context fields that select one of its sets. Empty for one set for everyone."),
  on: FeaturePresence.nullable().describe("Where the source has the feature on. Null if it does not list it."),
  reach: z
    .enum(["everyone", "some", "later", "nobody", "absent", "unknown"])
    .describe(
      "For whom the source has it on. `later`: from a known time. `nobody`: listed and off. `absent`: not listed. `unknown`: the source is unavailable.",
    ),
  result: z
    .enum(["everyone", "some", "held", "later", "unknown", "nobody"])
    .nullable()
    .describe("Of a grant: for whom it is on after its gates. `held`: a gate denies it. Null for other roles."),
  lastChange: FeatureChangeBody.nullable().describe(
    "The last change of the feature in this source. Null if the event log has none, or does not answer.",
  ),
}).openapi("DecidingSource");

/** A feature with the part of each source in its state. */
export const ViewedFeatureBody = FeatureBody.extend({
  audience: AudienceBody.describe("For whom it is on."),
  sources: z
    .array(DecidingSource)
    .describe("All sources in the order in which they decide: each grant with its gates behind it, then vetoes."),
}).openapi("ViewedFeature", { example: undefined });
