import { createHash } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import fresh from "fresh";
import Negotiator from "negotiator";
import type { Features, ResolveFeatures } from "../../application/resolve-features.ts";
import { byCodePoint } from "../../domain/feature.ts";
import { tokenOf } from "./authorization.ts";
import { HttpProblem, securityHeaders } from "./problem.ts";
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
          description: "Only where sources could not answer and were left out: names them (RFC 9211).",
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
export function features(app: OpenAPIHono, resolveFeatures: ResolveFeatures): void {
  app.openapi(route, async (c) => {
    demandJson(c.req.header("accept"));
    const token = tokenOf(c.req.header("authorization"));
    const [location, another] = c.req.queries("location") ?? [];
    if (another !== undefined) {
      throw new HttpProblem("invalid-context", "The location is given twice; send one.");
    }
    const found = await resolveFeatures.execute(token === undefined ? undefined : { token }, location);
    const body = JSON.stringify({ active_features: [...found.features.keys()].sort(byCodePoint) });
    const headers = headersFor(body, found);
    if (fresh({ "if-none-match": c.req.header("if-none-match") }, { etag: headers["ETag"] })) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(body, { headers: { ...headers, "Content-Type": "application/json" } });
  });
}

function headersFor(body: string, { missing }: Features): Record<string, string> {
  return {
    ...securityHeaders,
    ETag: `"${createHash("sha256").update(body).digest("base64url")}"`,
    "Cache-Control": "private, no-cache",
    Vary: "Authorization",
    ...(missing.length > 0 ? { "Cache-Status": `tidegate; fwd=miss; detail="incomplete: ${missing.join(" ")}"` } : {}),
  };
}

function demandJson(accept: string | undefined): void {
  if (!accept || accept === "*/*" || accept === "application/json") return;
  if (new Negotiator({ headers: { accept } }).mediaType(["application/json"]) === undefined) {
    throw new HttpProblem("not-acceptable", "The answer is application/json; accept that.");
  }
}
