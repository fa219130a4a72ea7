import { z } from "@hono/zod-openapi";
import { changeOrigins } from "../../../domain/admin/change.ts";

import { featureStates } from "../../../domain/features/feature-state.ts";
import { CatalogueEntryBody } from "../admin/catalogue.ts";

/** The last change of a feature. */
export const FeatureChangeBody = z
  .object({
    event: z.string().describe("The id of the event."),
    at: z.iso.datetime(),
    by: z.string(),
    note: z.string().nullable(),
    origin: z
      .enum(changeOrigins)
      .describe("`external`: made outside Tidegate. `baseline`: the feature was in a set when its records began."),
  })
  .openapi("FeatureChange");

/** The state of a source behind the states of features. */
export const SourceStatusBody = z
  .object({
    source: z.string(),
    state: z
      .enum(["evaluated", "unavailable", "skipped"])
      .describe("`skipped`: it is unavailable, and evaluations omit it, as `onFailure: skip` demands."),
    stale: z.boolean(),
    asOf: z.iso.datetime().nullable().describe("The time for which its data are verified."),
    error: z.string().nullable(),
  })
  .openapi("SourceStatus");

/** Where one source has a feature on. */
export const FeaturePresence = z
  .union([
    z.boolean().describe("For a source with one set for everyone: whether the set contains the feature."),
    z
      .object({
        location: z.array(z.string()).readonly(),
        complete: z.boolean().describe("Whether all sets of the source were read."),
      })
      .describe("For a source with one set per location: the locations that contain the feature."),
    z
      .object({ users: z.int().nullable() })
      .describe("For a source with one set per user: the number of users that have the feature. Null if unknown."),
    z
      .object({ rule: z.unknown(), on: z.boolean() })
      .describe("For a source with a rule for the feature: the rule, and its result for an anonymous client."),
  ])
  .openapi("FeaturePresence");

export const FeatureBody = z
  .object({
    feature: z.string(),
    state: z
      .enum(featureStates)
      .describe(
        "The state over all contexts. `killed`: a veto switches it off for everyone. `unknown`: an unavailable source could decide it. `on`: it is on for everyone. `on-for-some`: it is on for users, locations, a share or by other rules. `held`: grants have it on, but a gate blocks each of them. `scheduled`: off now, and on from a known time. `off`: no grant has it on.",
      ),
    stale: z.boolean().describe("Whether a source that has the feature has values that may be outdated."),
    on: z
      .record(z.string(), FeaturePresence)
      .describe(
        "Where the feature is on in each source, by source name. Unavailable sources are omitted, and so are sources without sets that do not list the feature.",
      ),
    killed: z.boolean().describe("Whether a veto switches the feature off for everyone."),
    catalogue: CatalogueEntryBody.nullable().describe("The description. Null if there is none."),
    lastChange: FeatureChangeBody.nullable().describe(
      "The last change of its sets, rules or description. Null if the event log has none.",
    ),
  })
  .openapi("KnownFeature", {
    example: {
      feature: "feature_3",
      state: "on-for-some",
      stale: false,
      on: {
        global: false,
        active: true,
        killed: false,
        location: { location: ["madrid"], complete: true },
        user: { users: 12 },
      },
      killed: false,
      catalogue: {
        description: "The new menu",
        owner: "shop",
        tags: ["web"],
        archived: false,
        created: "2026-11-21T09:00:00.000Z",
      },
      lastChange: {
        event: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11",
        at: "2026-11-24T16:20:00.000Z",
        by: "anna",
        note: "TICKET-42",
        origin: "change",
      },
    },
  });
