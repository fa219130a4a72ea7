import { hash, randomUUID } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { getQueryParams } from "hono/utils/url";
import type { EvaluateFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { Caller, RequestContext } from "../../../application/evaluation/identify-caller.ts";
import type { Watchable } from "../../../application/streams/watch-evaluations.ts";
import { tokenOf } from "../client/authorization.ts";
import type { CallContext } from "../client/call-context.ts";
import { featuresBody } from "../client/features-body.ts";
import type { WrittenBody } from "../client/prepared-response.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { incomingOf } from "../server/incoming.ts";
import type { ClientStreams } from "./client-streams.ts";

/** The route of the stream. */
export const featuresStreamPath = "/features/stream";

const route = createRoute({
  method: "get",
  path: featuresStreamPath,
  summary: "The features that the caller may activate, and each change of them, as Server-Sent Events",
  description:
    "The data of each message is a body of `GET /features`, and its id the `ETag` of that body. The first message is the present set, the next ones each new set of this caller, also at the time boundary of a schedule. While a store is unavailable, the last set holds. A comment comes every 15 seconds; a reader that takes nothing for 30 seconds is cut off, and a slow one gets the latest set only. The stream ends when the service stops, when its configuration is reloaded, and when the token is revoked.",
  tags: ["Features"],
  security: [{}, { bearer: [] }, { basic: [] }],
  parameters: [
    {
      name: "location",
      in: "query",
      description: "The client's location. A claim, never an authorization.",
      schema: { type: "string", maxLength: 200 },
      example: "madrid",
    },
    {
      name: "Last-Event-ID",
      in: "header",
      description:
        "The id of the last message that was received. If it is the present set, that is not sent again. Any other value is ignored.",
      schema: { type: "string" },
    },
  ],
  responses: {
    200: {
      description: "The stream.",
      content: {
        "text/event-stream": {
          schema: z.string(),
          example: 'id: "IxEW…"\ndata: {"active_features":["feature_1","feature_2"]}\n\n',
        },
      },
    },
    ...problemResponses(
      "invalid-context",
      "invalid-query",
      "malformed-authorization",
      "unsupported-auth-scheme",
      "invalid-token",
      "too-many-streams",
      "overloaded",
      "source-unavailable",
    ),
  },
});

type WatchedFeatures = Watchable & { readonly body: WrittenBody };

/** `GET /features/stream`: streams the features that are on for the caller. */
export function featuresStreamRoutes(
  app: OpenAPIHono,
  evaluateFeatures: EvaluateFeatures,
  callContext: CallContext,
  streams: ClientStreams,
): void {
  app.openapi(route, async (c): Promise<Response> => {
    const query = queryIn(c.req.url);
    const unsupported = ["at", "user"].find((name) => query(name).length > 0);
    if (unsupported !== undefined) {
      throw new HttpProblem("invalid-query", `A stream has no query parameter "${unsupported}"; use GET /features.`);
    }
    const incoming = incomingOf(c);
    const token = tokenOf(c.req.header("authorization"));
    const context = callContext.in(incoming, query);
    const isNew = token === undefined && context.clientId === undefined && callContext.issuesIds;
    const clientId = isNew ? randomUUID() : context.clientId;
    const caller = token === undefined ? undefined : { token };
    const evaluate = evaluationOf(evaluateFeatures, caller, { ...context, clientId });
    const last = await evaluate();
    return streams.respond(c, {
      kind: "features",
      client: {
        caller: token === undefined ? undefined : `token ${hash("sha256", token, "base64")}`,
        address: callContext.addressOf(incoming),
      },
      ...(isNew && clientId !== undefined && { headers: callContext.issued(clientId) }),
      first: c.req.header("last-event-id") === last.digest ? undefined : frameOf(last),
      evaluate,
      last,
      frameOf,
    });
  });
}

// A stream lives long: what it needs is made outside the route, so that it does not keep the request.
const queryIn =
  (url: string) =>
  (name: string): readonly string[] =>
    (getQueryParams(url, name) as string[] | undefined) ?? [];

const evaluationOf =
  (evaluateFeatures: EvaluateFeatures, caller: Caller, context: RequestContext) =>
  async (): Promise<WatchedFeatures> => {
    const evaluated = await evaluateFeatures.evaluate(caller, context);
    const body = featuresBody(evaluated);
    return { digest: body.entityTag, changesAt: evaluated.changesAt, freshness: evaluated.freshness, body };
  };

const end = "\n\n";

/** Streams of callers with one body share its frame. */
function frameOf({ body }: WatchedFeatures): Buffer {
  body.frame ??= frameWith(body);
  return body.frame;
}

/** Writes the parts one by one: a string of all would be another copy of the body. */
function frameWith({ body, entityTag, length, encoding }: WrittenBody): Buffer {
  const start = `id: ${entityTag}\ndata: `;
  const frame = Buffer.allocUnsafe(start.length + Number(length) + end.length);
  frame.write(start, "latin1");
  frame.write(body, start.length, encoding);
  frame.write(end, frame.length - end.length, "latin1");
  return frame;
}
