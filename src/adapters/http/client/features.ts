import { randomUUID } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import Negotiator from "negotiator";
import type { EvaluateFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { RequestContext } from "../../../application/evaluation/identify-caller.ts";
import type { FeaturesAsOf } from "../../../application/explain/features-as-of.ts";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import { instant } from "../../instant.ts";
import { HttpProblem } from "../kit/http-problem.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { queryOf } from "../kit/query.ts";
import { uncached } from "../kit/response-headers.ts";
import { incomingOf } from "../server/incoming.ts";
import { tokenOf } from "./authorization.ts";
import type { CallContext } from "./call-context.ts";
import { cacheKey } from "./digest.ts";
import { featuresBody } from "./features-body.ts";
import { fetchResponse, incompleteStatus, type PrepareResponse, responseOf } from "./prepared-response.ts";
import type { ResponseCache } from "./response-cache.ts";

const FeaturesBody = z
  .object({ active_features: z.array(z.string()).openapi({ example: ["feature_1", "feature_2"] }) })
  .openapi("Features", { description: "The features that may be activated, sorted by code point." });

const route = createRoute({
  method: "get",
  path: "/features",
  summary: "The features that the caller may activate",
  description:
    "Without credentials: what everyone gets. With a token: what its user gets. Ask at every start, with `If-None-Match` where an earlier answer is kept. With `at`, operators ask what was so at another moment.",
  tags: ["Features"],
  security: [{}, { bearer: [] }, { basic: [] }, { admin: ["viewer"] }, { adminAsPassword: ["viewer"] }],
  parameters: [
    {
      name: "location",
      in: "query",
      description: "Where the caller is. A claim, never an authorization.",
      schema: { type: "string", maxLength: 200 },
      example: "madrid",
    },
    {
      name: "at",
      in: "query",
      description:
        "Only for operators: the moment to answer for. Of a past one, the sets are those that the event log tells of, and the clock is that of then; of one to come only the clock. Sources without history at that moment are named in `Cache-Status`, and features that depend on them are left out. The configuration is that of now, and such an answer carries no `ETag`.",
      schema: { type: "string", format: "date-time" },
    },
    {
      name: "user",
      in: "query",
      description: "Only beside `at`: the user to answer for; left out, nobody in particular.",
      schema: { type: "string", maxLength: 200 },
    },
    {
      name: "If-None-Match",
      in: "header",
      description: "The `ETag` of an earlier answer; 304 where it still holds.",
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
            "Only where the answer is stale (the last known one, of a store that is away; `ttl` tells since when) or incomplete (sources were left out; names them). RFC 9211.",
          schema: { type: "string" },
        },
        Age: {
          description: "Of a stale answer: for how many seconds it may not be true any more.",
          schema: { type: "string" },
        },
        "Next-Change-At": {
          description:
            "When a source is known to say something else by itself, as where a schedule begins or ends: ask again then. A change by people may come earlier.",
          schema: { type: "string", format: "date-time" },
          example: "2026-11-27T17:00:00.000Z",
        },
        "Tidegate-At": {
          description:
            'Only beside `at`: the moment, whether the answer is made from what stores hold (`state="current"`) or held (`state="history"`), and that the configuration is that of now.',
          schema: { type: "string" },
          example: '2026-11-17T09:00:00.000Z; state="history"; configuration="current"',
        },
      },
      content: jsonContent(FeaturesBody),
    },
    304: { description: "Nothing has changed." },
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
const momentQuery = z.strictObject({ at: instant(), user: z.string().optional(), location: z.string().optional() });

/** `GET /features`: the features that are on for the caller. */
export function features(
  app: OpenAPIHono,
  operators: Operators,
  evaluateFeatures: EvaluateFeatures,
  featuresAsOf: FeaturesAsOf,
  cache: ResponseCache,
  responses: PrepareResponse,
  callContext: CallContext,
): void {
  const ofAttributes = callContext.attributes.parameters.map((name) => [name, z.string().optional()]);
  const momentQueryHere = momentQuery.extend(Object.fromEntries(ofAttributes)) as typeof momentQuery;

  // Returns a cached response synchronously: awaiting it would double its cost in the HTTP layer.
  app.openapi(route, (c): Response | Promise<Response> => {
    const authorization = c.req.header("authorization");
    const ifNoneMatch = c.req.header("if-none-match");
    demandJson(c.req.header("accept"));
    const incoming = incomingOf(c);
    const target = c.req.url.slice(c.req.url.indexOf("/features"));
    const key = cacheKey(target + callContext.varyKey(incoming), authorization);
    const cached = cache.find(key, ifNoneMatch);
    if (cached) return fetchResponse(cached);
    const query = (name: string) => c.req.queries(name) ?? [];
    if (query("at").length + query("user").length > 0) return evaluateAt(c);
    return evaluate(key, tokenOf(authorization), ifNoneMatch, callContext.in(incoming, query));
  });

  async function evaluate(
    key: string,
    token: string | undefined,
    ifNoneMatch: string | undefined,
    context: RequestContext,
  ): Promise<Response> {
    if (token === undefined && context.clientId === undefined && callContext.issuesIds) {
      return evaluateNew(ifNoneMatch, context);
    }
    const evaluated = await evaluateFeatures.evaluate(token === undefined ? undefined : { token }, context);
    const prepared = responses.prepare(featuresBody(evaluated.features), evaluated);
    cache.keep(key, prepared);
    return fetchResponse(responseOf(prepared, ifNoneMatch));
  }

  /** Issues a client id and evaluates with it. Not cached, because the client cannot repeat this request. */
  async function evaluateNew(ifNoneMatch: string | undefined, context: RequestContext): Promise<Response> {
    const clientId = randomUUID();
    const evaluated = await evaluateFeatures.evaluate(undefined, { ...context, clientId });
    const response = responseOf(responses.prepare(featuresBody(evaluated.features), evaluated), ifNoneMatch);
    return fetchResponse({ ...response, headers: { ...response.headers, ...callContext.issued(clientId) } });
  }

  /** Responses for a past instant are not cached, so a target with `at` never hits the response cache. */
  async function evaluateAt(c: Context): Promise<Response> {
    if (c.req.query("at") === undefined) {
      throw new HttpProblem("invalid-query", 'The query parameter "user" goes with "at" only; send a token instead.');
    }
    await operators.demand(c, "viewer");
    const { at, user } = queryOf(c.req.url, momentQueryHere);
    const context = callContext.toldIn(incomingOf(c), (name) => c.req.queries(name) ?? []);
    const caller = user === undefined ? undefined : { userId: user };
    const { features, isPast, missing } = await featuresAsOf.evaluate(caller, context, at);
    return c.json({ active_features: inOrder(features) }, 200, {
      ...uncached,
      ...(missing.length > 0 && { "Cache-Status": incompleteStatus(missing) }),
      "Tidegate-At": `${new Date(at).toISOString()}; state="${isPast ? "history" : "current"}"; configuration="current"`,
    });
  }
}

function demandJson(accept: string | undefined): void {
  if (!accept || accept === "*/*" || accept === "application/json") return;
  if (new Negotiator({ headers: { accept } }).mediaType(["application/json"]) === undefined) {
    throw new HttpProblem("not-acceptable", "The answer is application/json; accept that.");
  }
}
