import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import Negotiator from "negotiator";
import type { FeaturesAsOf } from "../../../application/explain/features-as-of.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import { instant } from "../../instant.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { uncached } from "../response-headers.ts";
import type { TypedRoute } from "../routing/checked-route.ts";
import { jsonContent } from "../routing/json-content.ts";
import { queryOf } from "../routing/query.ts";
import { incomingOf } from "../server/incoming.ts";
import type { Operators } from "../sessions/operators.ts";
import { tokenOf } from "./authorization.ts";
import type { CallContext } from "./call-context.ts";
import { cacheKey } from "./digest.ts";
import { type FeaturesResponses, isDetailed } from "./features-responses.ts";
import { fetchResponse, incompleteStatus } from "./prepared-response.ts";

const FeaturesBody = z
  .object({
    active_features: z.array(z.string()).openapi({
      description: "The features that are on, sorted by code point.",
      example: ["feature_1", "feature_2"],
    }),
    features: z
      .array(
        z.object({
          key: z.string(),
          on: z.boolean(),
          value: z.unknown().optional().openapi({ description: "Absent: use the default in the client's code." }),
          variant: z.string().optional(),
          reason: z.enum(["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"]).openapi({
            description: "As OpenFeature defines it.",
          }),
          source: z.string().optional().openapi({ description: "The source that decided." }),
        }),
      )
      .optional()
      .openapi({
        description: "Only with `detail=true`: all known features, on or off, sorted by code point.",
        example: [{ key: "feature_1", on: true, value: true, reason: "STATIC", source: "global" }],
      }),
  })
  .openapi("Features");

const route = createRoute({
  method: "get",
  path: "/features",
  summary: "Get the features of the caller",
  description:
    "Without a token, returns the features for everyone; with a token, those of its user. Call it at every start of the client, with `If-None-Match` if an earlier response is cached. With `at`, operators get the features at another time.",
  tags: ["Features"],
  security: [{}, { bearer: [] }, { basic: [] }, { admin: ["viewer"] }, { adminAsPassword: ["viewer"] }],
  parameters: [
    {
      name: "location",
      in: "query",
      description: "The location of the caller. A claim of the client, not an authorization.",
      schema: { type: "string", maxLength: 200 },
      example: "madrid",
    },
    {
      name: "detail",
      in: "query",
      description:
        "With `true`, the response also has all known features with their values, variants and reasons, as OFREP has them.",
      schema: { type: "boolean", default: false },
    },
    {
      name: "at",
      in: "query",
      description:
        "Operators only: the time of the evaluation. A past time uses the sets and rules in the event log and the clock of that time; a future time uses only its clock. The configuration is current. `Cache-Status` names sources without history at that time; features that depend on them are omitted. The response has no `ETag`.",
      schema: { type: "string", format: "date-time" },
    },
    {
      name: "user",
      in: "query",
      description: "Only with `at`: the user id. Default: an anonymous client.",
      schema: { type: "string", maxLength: 200 },
    },
    {
      name: "If-None-Match",
      in: "header",
      description: "The `ETag` of an earlier response. Returns 304 if the features are the same.",
      schema: { type: "string" },
    },
  ],
  responses: {
    200: {
      description: "The features.",
      headers: {
        ETag: { description: "The SHA-256 of the body.", schema: { type: "string" } },
        "Cache-Status": {
          description:
            "Only on a stale response (the last known one, because a store is unavailable; `ttl` is its negative age) or an incomplete one (the detail names the skipped sources). RFC 9211.",
          schema: { type: "string" },
        },
        Age: {
          description: "Only on a stale response: the seconds since it was last verified.",
          schema: { type: "string" },
        },
        "Next-Change-At": {
          description:
            "The next time at which a schedule changes the features. Repeat the request then. Other changes can come earlier.",
          schema: { type: "string", format: "date-time" },
          example: "2026-11-27T17:00:00.000Z",
        },
        "Tidegate-At": {
          description:
            'Only with `at`: the time, the data (`state="current"`: the stores; `state="history"`: the event log) and the configuration, which is always current.',
          schema: { type: "string" },
          example: '2026-11-17T09:00:00.000Z; state="history"; configuration="current"',
        },
      },
      content: jsonContent(FeaturesBody),
    },
    304: { description: "The features are the same as in the response with this `ETag`." },
    ...problemResponses(
      "invalid-context",
      "invalid-query",
      "malformed-authorization",
      "unsupported-auth-scheme",
      "invalid-token",
      "unauthenticated",
      "history-unavailable",
      "not-acceptable",
      "source-unavailable",
      "log-unavailable",
    ),
  },
});

/** Query parameters for operators, besides attributes. */
const pastQuery = z.strictObject({ at: instant(), user: z.string().optional(), location: z.string().optional() });

/** `GET /features`: the features that are on for the caller. */
export function featuresRoutes(
  app: OpenAPIHono,
  operators: Operators,
  featuresAsOf: FeaturesAsOf,
  responses: FeaturesResponses,
  callContext: CallContext,
): TypedRoute<
  "get",
  "/features",
  z.ZodObject<Record<string, z.ZodOptional<z.ZodString>>>,
  z.ZodUndefined,
  typeof route.responses
> {
  const ofAttributes = callContext.attributes.parameters.map((name) => [name, z.string().optional()]);
  const queryWithAttributes = pastQuery.extend(Object.fromEntries(ofAttributes)) as typeof pastQuery;

  // Returns a cached response synchronously: awaiting it would double its cost in the HTTP layer.
  app.openapi(route, (c): Response | Promise<Response> => {
    const authorization = c.req.header("authorization");
    const ifNoneMatch = c.req.header("if-none-match");
    demandJson(c.req.header("accept"));
    const incoming = incomingOf(c);
    const target = c.req.url.slice(c.req.url.indexOf("/features"));
    const key = cacheKey(target + callContext.varyKey(incoming), authorization);
    const cached = responses.find(key, ifNoneMatch);
    if (cached) return fetchResponse(cached);
    const query = (name: string) => c.req.queries(name) ?? [];
    if (query("at").length + query("user").length > 0) return evaluateAt(c);
    return responses
      .evaluate(
        key,
        tokenOf(authorization),
        ifNoneMatch,
        callContext.in(incoming, query),
        isDetailed(query),
        target.includes("?"),
      )
      .then(fetchResponse);
  });
  return route;

  /** Responses for a past instant are not cached, so a target with `at` never hits the response cache. */
  async function evaluateAt(c: Context): Promise<Response> {
    if (c.req.query("at") === undefined) {
      throw new HttpProblem("invalid-query", 'The query parameter "user" requires "at". Send a token instead.');
    }
    await operators.require(c, "viewer");
    const { at, user } = queryOf(c.req.url, queryWithAttributes);
    const context = callContext.explicitIn(incomingOf(c), (name) => c.req.queries(name) ?? []);
    const caller = user === undefined ? undefined : { userId: user };
    const { features, isPast, missing } = await featuresAsOf(caller, context, at);
    return c.json({ active_features: inOrder(features) }, 200, {
      ...uncached,
      ...(missing.length > 0 && { "Cache-Status": incompleteStatus(missing) }),
      "Tidegate-At": `${instantText(at)}; state="${isPast ? "history" : "current"}"; configuration="current"`,
    });
  }
}

function demandJson(accept: string | undefined): void {
  if (!accept || accept === "*/*" || accept === "application/json") return;
  if (new Negotiator({ headers: { accept } }).mediaType(["application/json"]) === undefined) {
    throw new HttpProblem("not-acceptable", "The response is application/json. Accept it.");
  }
}
