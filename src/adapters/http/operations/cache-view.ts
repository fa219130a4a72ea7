import { createRoute, z } from "@hono/zod-openapi";
import type { CachedKey, ViewCache } from "../../../application/admin/view-cache.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { uncached } from "../response-headers.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";

const time = z.iso.datetime();
const content = {
  features: z.array(z.string()).readonly(),
  invalidMembers: z.int().describe("Number of members that are not feature keys. They are omitted."),
};

const CachedKeyBody = z
  .object({
    key: z.string(),
    pid: z.int().describe("The worker that responded. Each worker has its own cache."),
    connections: z.array(
      z.object({
        connection: z.string(),
        sources: z.array(z.string()).readonly().describe("The sources that read the key."),
        cached: z
          .object({
            ...content,
            since: time.describe("When this value was first read."),
            asOf: time.describe("The last time at which the value was verified."),
            fresh: z.boolean().describe("Whether the value was verified within the last second."),
            expiresAt: time.describe("When the value is read again without an invalidation."),
          })
          .nullable()
          .describe("The cached value. Null if the key is not cached."),
        store: z
          .union([z.object(content), z.object({ error: z.string() })])
          .describe("The stored value, read without the cache."),
      }),
    ),
  })
  .openapi("CachedKey", {
    example: {
      key: "features:user:1",
      pid: 4711,
      connections: [
        {
          connection: "features",
          sources: ["user"],
          cached: {
            features: ["feature_3", "feature_4"],
            invalidMembers: 0,
            since: "2026-11-21T09:00:00.000Z",
            asOf: "2026-11-21T09:00:42.800Z",
            fresh: true,
            expiresAt: "2026-11-21T09:01:03.000Z",
          },
          store: { features: ["feature_3", "feature_4"], invalidMembers: 0 },
        },
      ],
    },
  });

/** `GET /admin/v1/cache`: compares the cached value of a key with the stored value. */
export function cacheRoutes(
  { app, operators }: OperatorRoutes,
  { viewCache }: { readonly viewCache: ViewCache },
): void {
  const route = createRoute({
    method: "get",
    path: "/admin/v1/cache",
    summary: "Compare the cached value of a key with the stored value",
    description: "Does not change the cache. Supports the keys of sets that a source reads, never keys of tokens.",
    tags: ["Operation"],
    ...operators.atLeast("viewer"),
    parameters: [{ name: "key", in: "query", required: true, schema: { type: "string" }, example: "features:user:1" }],
    responses: {
      200: jsonResponse("The values in each store where a source reads the key.", CachedKeyBody),
      ...problemResponses("unauthenticated", "unknown-set"),
    },
  });
  app.openapi(route, async (c) => {
    const key = c.req.query("key") ?? "";
    const connections = (await viewCache(key)).map(cachedKeyJson);
    return c.json({ key, pid: process.pid, connections }, 200, uncached);
  });
}

const cachedKeyJson = ({ connection, sources, cached, store }: CachedKey) => ({
  connection,
  sources,
  cached: cached
    ? {
        ...cached,
        since: instantText(cached.since),
        asOf: instantText(cached.asOf),
        expiresAt: instantText(cached.expiresAt),
      }
    : null,
  store,
});
