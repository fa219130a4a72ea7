import { z } from "@hono/zod-openapi";
import { changeOrigins } from "../../../domain/admin/change.ts";
import { roles } from "../../../domain/evaluation/source.ts";

const time = z.iso.datetime();

/** The fields of a change in the event log. */
export const changeFields = {
  event: z.string(),
  at: time,
  by: z.string(),
  note: z.string().nullable(),
  origin: z.enum(changeOrigins),
};

const freshness = {
  asOf: time.describe("The last time at which the data was verified."),
  fresh: z.boolean().describe("Whether the data was verified within 1 s of the requested time."),
};

const LastChange = z
  .object({
    event: z.string().describe("The id of the event in the event log."),
    by: z.string(),
    at: time,
    note: z.string().optional(),
    origin: z
      .enum(changeOrigins)
      .describe(
        "`change`: through Tidegate. `external`: outside Tidegate. `baseline`: the feature was in the set when its history started.",
      ),
  })
  .nullable()
  .describe(
    "The last change that added the feature to the set, removed it, or changed its rule. Null if the log has none.",
  );

const contextMembers = {
  at: time,
  state: z
    .enum(["current", "history"])
    .describe("The data of the evaluation: `current` stores, or the `history` in the event log."),
  configuration: z.literal("current").describe("The configuration is always the current one."),
  user: z.string().nullable(),
  location: z.string().nullable().describe("The most specific location."),
  locations: z.array(z.string()).describe("The location and its parents."),
  locatedBy: z
    .string()
    .nullable()
    .describe("The kind of the locator that returned the location. Null if the request names it, or if none matched."),
  identity: z.object(freshness).nullable().describe("The freshness of the token lookup. Null without a token."),
  incomplete: z
    .array(z.string())
    .describe("The sources without a result. `on` is null for features that depend on them."),
  sources: z.array(
    z.object({
      name: z.string(),
      role: z.enum(roles),
      gatedBy: z.array(z.string()).readonly(),
      default: z.enum(["allow", "deny"]).describe("The result of a gate for a feature that it does not list."),
      sets: z
        .array(z.object({ connection: z.string(), key: z.string() }))
        .describe("The sets that the source reads for this context, one per location. Empty without sets."),
      rules: z
        .object({ connection: z.string(), collection: z.string() })
        .nullable()
        .describe("The place of its rules. Null without rules."),
      state: z
        .enum(["evaluated", "no-history", "unavailable", "skipped"])
        .describe(
          "`no-history`: its history does not reach back to that time. `unavailable`: it fails, and clients get 503. `skipped`: it fails, and clients get features without it.",
        ),
      historyFrom: time.nullable().describe("The start of its history, if that is after the requested time."),
      error: z.string().nullable().describe("The error of the source or of its last read."),
      freshness: z.object(freshness).nullable().describe("The freshness of its reads. Null if it read nothing."),
    }),
  ),
};

/** The response body for the context of an explanation, and the states of the sources. */
export const ContextAnswer = z.object(contextMembers).openapi("ExplanationContext");

/** The state of a feature and its cause, without the results of the sources. */
export const SummarizedFeature = z
  .object({
    feature: z.string(),
    on: z.boolean().nullable().describe("Null if undetermined: the known results allow both."),
    value: z.unknown().describe("The value that clients receive. Null if the feature is not on."),
    variant: z.string().nullable(),
    message: z.string().describe("The state and its cause in one sentence."),
    decidedBy: z.array(z.string()).describe("The sources that decide the state."),
  })
  .openapi("SummarizedFeature", {
    example: {
      feature: "feature_1",
      on: true,
      value: true,
      variant: null,
      message: 'on: grant "global" (global_features)',
      decidedBy: ["global"],
    },
  });

/** The response body of an explanation. */
export const ExplanationBody = z
  .object({
    ...contextMembers,
    log: z
      .enum(["available", "unavailable"])
      .describe("The event log. If it is unavailable, the last changes are null."),
    features: z.array(
      z.object({
        feature: z.string(),
        on: z.boolean().nullable().describe("Null if undetermined: the known results allow both."),
        message: z.string().describe("The state and its cause in one sentence."),
        decidedBy: z.array(z.string()).describe("The sources that decide the state."),
        reason: z.string().nullable().describe("OpenFeature's reason, if the feature is on."),
        variant: z.string().nullable().describe("OpenFeature's variant, if the feature is on."),
        results: z.array(
          z.object({
            source: z.string(),
            result: z.enum(["on", "off", "absent", "no-history", "unavailable", "skipped"]),
            set: z
              .string()
              .nullable()
              .describe("The key of the set that contains the feature; for a removed feature, of its last set."),
            rule: z.unknown().describe("The rule of the feature. Null if there is none."),
            metadata: z.record(z.string(), z.unknown()).nullable().describe("Details of the evaluation by the source."),
            lastChange: LastChange,
          }),
        ),
      }),
    ),
  })
  .openapi("Explanation", {
    example: {
      at: "2026-11-21T09:00:00.000Z",
      state: "current",
      configuration: "current",
      user: "1",
      location: null,
      locations: [],
      locatedBy: null,
      identity: null,
      incomplete: [],
      log: "available",
      sources: [
        {
          name: "active",
          role: "gate",
          gatedBy: [],
          default: "deny",
          sets: [{ connection: "features", key: "active_features" }],
          rules: null,
          state: "evaluated",
          historyFrom: null,
          error: null,
          freshness: { asOf: "2026-11-21T09:00:00.000Z", fresh: true },
        },
        {
          name: "user",
          role: "grant",
          gatedBy: ["active"],
          default: "deny",
          sets: [{ connection: "features", key: "features:user:1" }],
          rules: null,
          state: "evaluated",
          historyFrom: null,
          error: null,
          freshness: { asOf: "2026-11-21T09:00:00.000Z", fresh: true },
        },
      ],
      features: [
        {
          feature: "feature_1",
          on: false,
          message: 'off: grant "user" (features:user:1), but gate "active" denies it',
          decidedBy: ["user", "active"],
          reason: null,
          variant: null,
          results: [
            {
              source: "active",
              result: "absent",
              set: "active_features",
              rule: null,
              metadata: null,
              lastChange: {
                event: "0193a5e2-9f00-7000-8000-000000000001",
                by: "anna",
                at: "2026-11-20T17:12:09.120Z",
                note: "crashes on old phones",
                origin: "change",
              },
            },
            { source: "user", result: "on", set: "features:user:1", rule: null, metadata: null, lastChange: null },
          ],
        },
      ],
    },
  });
