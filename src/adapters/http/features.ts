import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import Negotiator from "negotiator";
import type { ResolveFeatures } from "../../application/resolve-features.ts";
import { tokenOf } from "./authorization.ts";
import type { PreparedAnswers, Reply } from "./prepared-answers.ts";
import { HttpProblem } from "./problem.ts";
import { problemResponses } from "./problem-responses.ts";

const FeaturesBody = z
  .object({ active_features: z.array(z.string()).openapi({ example: ["feature_1", "feature_2"] }) })
  .openapi("Features", { description: "The features that may be activated, sorted by code point." });

const route = createRoute({
  method: "get",
  path: "/features",
  summary: "The features that the caller may activate",
  description:
    "Without credentials: what everyone gets. With a token: what its user gets. Ask at every start, with `If-None-Match` where an earlier answer is kept.",
  tags: ["Features"],
  security: [{}, { bearer: [] }, { basic: [] }],
  parameters: [
    {
      name: "location",
      in: "query",
      description: "Where the caller is. A claim, never an authorization.",
      schema: { type: "string", maxLength: 200 },
      example: "madrid",
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
      },
      content: { "application/json": { schema: FeaturesBody } },
    },
    304: { description: "Nothing has changed." },
    ...problemResponses(
      "invalid-context",
      "malformed-authorization",
      "unsupported-auth-scheme",
      "invalid-token",
      "not-acceptable",
      "source-unavailable",
    ),
  },
});

/** `GET /features`: what a client app asks when it starts. */
export function features(app: OpenAPIHono, resolveFeatures: ResolveFeatures, answers: PreparedAnswers): void {
  // A prepared answer is not waited for, which would double its cost in the HTTP layer.
  app.openapi(route, (c): Response | Promise<Response> => {
    const authorization = c.req.header("authorization");
    const ifNoneMatch = c.req.header("if-none-match");
    demandJson(c.req.header("accept"));
    const target = c.req.url.slice(c.req.url.indexOf("/features"));
    const reply = answers.find(target, authorization, ifNoneMatch);
    if (reply) return response(reply);
    const location = oneLocation(c.req.queries("location"));
    return answer(target, authorization, ifNoneMatch, location);
  });

  async function answer(
    target: string,
    authorization: string | undefined,
    ifNoneMatch: string | undefined,
    location: string | undefined,
  ): Promise<Response> {
    const token = tokenOf(authorization);
    const found = await resolveFeatures.execute(token === undefined ? undefined : { token }, location);
    return response(answers.prepare(target, authorization, ifNoneMatch, found));
  }
}

const response = ({ status, headers, body }: Reply): Response => new Response(body, { status, headers });

function oneLocation([location, another]: readonly string[] = []): string | undefined {
  if (another !== undefined) throw new HttpProblem("invalid-context", "The location is given twice; send one.");
  return location;
}

function demandJson(accept: string | undefined): void {
  if (!accept || accept === "*/*" || accept === "application/json") return;
  if (new Negotiator({ headers: { accept } }).mediaType(["application/json"]) === undefined) {
    throw new HttpProblem("not-acceptable", "The answer is application/json; accept that.");
  }
}
