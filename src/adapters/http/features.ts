import { hash } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import fresh from "fresh";
import { LRUCache } from "lru-cache";
import Negotiator from "negotiator";
import type { Provenance } from "../../application/provenance.ts";
import type { Features, ResolveFeatures } from "../../application/resolve-features.ts";
import { byCodePoint } from "../../domain/feature.ts";
import { freshnessBoundMs } from "../../domain/held.ts";
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

type Headers = Readonly<Record<string, string>>;

/** So large an answer may be, with its key, for as many to be kept as the cache has capacity for. */
const usualBytes = 1_000;

/** An answer that is ready to be sent again, for as long as it is current. */
type Prepared = {
  readonly body: string;
  readonly init: { readonly headers: Headers };
  readonly provenance: Provenance;
};

/**
 * `GET /features`: what a client app asks when it starts.
 *
 * An answer is kept as bytes and headers while all that it was made from is current, so that a call which is like one
 * before costs no evaluation and reads nothing; it does not even wait, which would double its cost in the HTTP layer.
 * Answers are kept under a digest of the credentials: no token stays in memory.
 */
export function features(
  app: OpenAPIHono,
  resolveFeatures: ResolveFeatures,
  capacity: number,
  now: () => number,
): void {
  const prepared = new LRUCache<string, Prepared>({
    max: capacity,
    maxSize: capacity * usualBytes,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  });
  app.openapi(route, (c) => {
    const authorization = c.req.header("authorization");
    const ifNoneMatch = c.req.header("if-none-match");
    demandJson(c.req.header("accept"));
    const location = c.req.url.includes("?") ? oneLocation(c.req.queries("location")) : undefined;
    const key = keyOf(authorization, location);
    const known = prepared.get(key);
    if (known?.provenance.isCurrent(now())) return respond(known, ifNoneMatch);
    return answer(authorization, location, ifNoneMatch, key);
  });

  async function answer(
    authorization: string | undefined,
    location: string | undefined,
    ifNoneMatch: string | undefined,
    key: string,
  ): Promise<Response> {
    const token = tokenOf(authorization);
    const found = await resolveFeatures.execute(token === undefined ? undefined : { token }, location);
    const body = JSON.stringify({ active_features: [...found.features.keys()].sort(byCodePoint) });
    const at = now();
    const headers = { ...fixedHeaders, ETag: `"${hash("sha256", body, "base64url")}"`, ...freshness(found, at) };
    const made = { body, init: { headers }, provenance: found.provenance };
    if (found.provenance.isCurrent(at)) prepared.set(key, made);
    return respond(made, ifNoneMatch);
  }
}

const fixedHeaders = {
  ...securityHeaders,
  "Content-Type": "application/json",
  "Cache-Control": "private, no-cache",
  Vary: "Authorization",
};

/** An empty Authorization header is not the same as none. */
const keyOf = (authorization: string | undefined, location = ""): string =>
  `${authorization === undefined ? "" : hash("sha256", authorization, "base64url")} ${location}`;

function oneLocation([location, another]: readonly string[] = []): string | undefined {
  if (another !== undefined) throw new HttpProblem("invalid-context", "The location is given twice; send one.");
  return location;
}

function respond({ body, init }: Prepared, ifNoneMatch: string | undefined): Response {
  if (ifNoneMatch === undefined) return new Response(body, init);
  const { "Content-Type": _, ...headers } = init.headers;
  return fresh({ "if-none-match": ifNoneMatch }, { etag: headers["ETag"] })
    ? new Response(null, { status: 304, headers })
    : new Response(body, init);
}

/** What an answer says of itself that is stale or incomplete (RFC 9211, RFC 9111); a fresh one says nothing. */
function freshness({ missing, provenance }: Features, now: number): Headers {
  const ageMs = now - provenance.asOf(now);
  const stale = ageMs > freshnessBoundMs;
  const incomplete = missing.length > 0 ? `incomplete: ${missing.join(" ")}` : "";
  if (stale) {
    const seconds = Math.ceil(ageMs / 1_000);
    const detail = ["stale", ...(incomplete ? [incomplete] : [])].join("; ");
    return { "Cache-Status": `tidegate; hit; ttl=-${seconds}; detail="${detail}"`, Age: `${seconds}` };
  }
  return incomplete ? { "Cache-Status": `tidegate; fwd=miss; detail="${incomplete}"` } : {};
}

function demandJson(accept: string | undefined): void {
  if (!accept || accept === "*/*" || accept === "application/json") return;
  if (new Negotiator({ headers: { accept } }).mediaType(["application/json"]) === undefined) {
    throw new HttpProblem("not-acceptable", "The answer is application/json; accept that.");
  }
}
