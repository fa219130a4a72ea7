import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { explicitContext } from "../../../application/evaluation/identify-caller.ts";
import type { ExplainFeatures } from "../../../application/explain/explain-features.ts";
import { TokenRejected } from "../../../domain/errors.ts";
import { isServedKey } from "../../../domain/evaluation/feature.ts";
import { roles } from "../../../domain/evaluation/source.ts";
import { explainedJson } from "../../explained-json.ts";
import { instant } from "../../instant.ts";
import type { CallContext } from "../client/call-context.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { HttpProblem } from "../kit/http-problem.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { uncached } from "../kit/response-headers.ts";

const mostFeatures = 1_000;
const time = z.iso.datetime();

const Question = z
  .strictObject({
    user: z.string().min(1).max(200).optional().openapi({ description: "Whom to explain it for: this user." }),
    token: z
      .string()
      .min(1)
      .optional()
      .openapi({ description: "Or the user whom this token speaks for now. It is neither logged nor repeated." }),
    location: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .openapi({ description: "Where the caller is; left out, the locators tell." }),
    ip: z.union([z.ipv4(), z.ipv6()]).optional().openapi({ description: "The address that the call comes from." }),
    targetingKey: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .openapi({ description: "The id that a client without a token brings, for percentages." }),
    attributes: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .openapi({ description: "Attributes that the configuration declares.", example: { plan: "gold" } }),
    at: instant()
      .openapi({ type: "string", format: "date-time" })
      .optional()
      .openapi({ description: "The moment to explain; left out, now." }),
    features: z
      .array(z.string().refine(isServedKey, "is no feature key; send 1 to 1024 printable characters"))
      .min(1)
      .max(mostFeatures)
      .optional()
      .openapi({ description: "Only these, also ones that nobody knows; left out, all that a source has a say on." }),
  })
  .refine(({ user, token }) => user === undefined || token === undefined, {
    path: ["token"],
    error: "stands beside user; send one of the two",
  })
  .refine(
    ({ user, token, targetingKey }) => targetingKey === undefined || (user === undefined && token === undefined),
    {
      path: ["targetingKey"],
      error: "means nothing beside a user or token, who are counted by the user's id; leave it out",
    },
  )
  .openapi("ExplainQuestion", { example: { user: "1", location: "madrid", features: ["feature_1"] } });

const freshness = {
  asOf: time.openapi({ description: "The latest instant for which it is known to be true." }),
  fresh: z.boolean().openapi({ description: "Whether it is provably at most a second older than the moment." }),
};

const LastChange = z
  .object({
    event: z.string().openapi({ description: "The id of the event in the event log." }),
    by: z.string(),
    at: time,
    note: z.string().optional(),
    origin: z.enum(["change", "external", "baseline"]).openapi({
      description:
        "`change`: through Tidegate. `external`: behind its back. `baseline`: it stood there when the record of the set began.",
    }),
  })
  .nullable()
  .openapi({
    description:
      "The change since which the set has it, or has it no more; or since which the rule is as it is, or gone. Null where the log does not tell.",
  });

const Answer = z
  .object({
    at: time,
    state: z.enum(["current", "history"]).openapi({
      description: "What the sources were asked over: stores as they are, or as the event log tells they were.",
    }),
    configuration: z.literal("current").openapi({ description: "The rules are those of now, whatever the moment." }),
    user: z.string().nullable(),
    location: z.string().nullable().openapi({ description: "The place; the most exact, where it is in several." }),
    locations: z.array(z.string()).openapi({ description: "The place and all that it is part of." }),
    locatedBy: z.string().nullable().openapi({
      description: "The kind of the locator that told the place. Null where the question names it, or nobody can tell.",
    }),
    identity: z
      .object(freshness)
      .nullable()
      .openapi({ description: "How far it can be trusted that the token speaks for the user. Null without a token." }),
    incomplete: z.array(z.string()).openapi({
      description: "The sources that have no history at the moment, or fail. `on` is null where they could decide it.",
    }),
    log: z
      .enum(["available", "unavailable"])
      .openapi({ description: "Unavailable: then it is not told who changed what." }),
    sources: z.array(
      z.object({
        name: z.string(),
        role: z.enum(roles),
        gatedBy: z.array(z.string()).readonly(),
        sets: z.array(z.object({ connection: z.string(), key: z.string() })).openapi({
          description:
            "The sets that it reads for this caller: of several locations one each. Empty where it reads none.",
        }),
        rules: z
          .object({ connection: z.string(), collection: z.string() })
          .nullable()
          .openapi({ description: "Where it keeps rules of single features. Null where it keeps none." }),
        state: z.enum(["evaluated", "no-history", "unavailable", "skipped"]).openapi({
          description:
            "`no-history`: nobody recorded what it said. `unavailable`: it fails, and clients are answered 503. `skipped`: it fails, and clients are answered without it.",
        }),
        historyFrom: time
          .nullable()
          .openapi({ description: "From when on what it said is known, where that begins after the moment." }),
        error: z.string().nullable().openapi({ description: "Why it fails, or was answered for from memory." }),
        freshness: z
          .object(freshness)
          .nullable()
          .openapi({ description: "Of what it read. Null where it read nothing." }),
      }),
    ),
    features: z.array(
      z.object({
        feature: z.string(),
        on: z.boolean().nullable().openapi({ description: "Null where what is known leaves both possible." }),
        message: z.string(),
        decidedBy: z.array(z.string()).openapi({ description: "The sources that settled it, or would." }),
        reason: z.string().nullable().openapi({ description: "OpenFeature's, where it is on." }),
        variant: z.string().nullable(),
        results: z.array(
          z.object({
            source: z.string(),
            result: z.enum(["on", "off", "absent", "no-history", "unavailable", "skipped"]),
            set: z.string().nullable().openapi({
              description:
                "The key of the set that has it, or, where `lastChange` tells that none has it any more, that had it last.",
            }),
            rule: z.unknown().openapi({
              description: "What the source keeps of the feature. Null where it keeps nothing.",
            }),
            metadata: z
              .record(z.string(), z.unknown())
              .nullable()
              .openapi({ description: "What the source tells of how it came to this." }),
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

/** `POST /admin/v1/explain`: explains why features are on or off for a context. */
export function explain(
  app: OpenAPIHono,
  operators: Operators,
  explainFeatures: ExplainFeatures,
  callContext: CallContext,
): void {
  checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/explain",
      summary: "Why features are on or off for somebody, now or at another moment",
      description:
        "Without `user` and `token`: for nobody in particular. Of a past moment, sources and clock are those of then; of one to come only the clock. Changes nothing.",
      tags: ["Explanations"],
      ...operators.atLeast("viewer"),
      body: Question,
      responses: {
        200: { description: "Each feature, and why.", content: jsonContent(Answer) },
        ...problemResponses(
          "unauthenticated",
          "invalid-context",
          "validation-failed",
          "source-unavailable",
          "log-unavailable",
        ),
      },
    },
    async (c, { body: { user, token, at, features, location, ip, targetingKey: clientId, attributes } }) => {
      const caller = user !== undefined ? { userId: user } : token !== undefined ? { token } : undefined;
      const circumstances = explicitContext({
        location,
        ip,
        clientId,
        attributes: attributes && callContext.attributes.checked(attributes),
      });
      const explained = await explainFeatures.explain({ caller, circumstances, at, features }).catch((cause) => {
        throw cause instanceof TokenRejected ? unknownToken : cause;
      });
      return c.json(explainedJson(explained) satisfies z.output<typeof Answer>, 200, uncached);
    },
  );
}

/** The request's own credential is valid; only the token in the body is unknown. Hence 422, not 401. */
const unknownToken = new HttpProblem(
  "validation-failed",
  "Nobody is known by /token; clients with it are answered 401.",
  {},
  [{ pointer: "/token", detail: "is known for nobody; clients with it are answered 401" }],
);
