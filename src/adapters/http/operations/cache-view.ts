import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CachedKey, ViewCache } from "../../../application/admin/view-cache.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { uncached } from "../kit/response-headers.ts";

const time = z.iso.datetime();
const content = {
  features: z.array(z.string()).readonly(),
  invalidMembers: z.int().openapi({ description: "How many members are no feature keys, and are left out." }),
};

const CachedKeyBody = z
  .object({
    key: z.string(),
    pid: z.int().openapi({ description: "The worker that answered; each remembers for itself." }),
    connections: z.array(
      z.object({
        connection: z.string(),
        sources: z.array(z.string()).readonly().openapi({ description: "Those that read the key." }),
        cached: z
          .object({
            ...content,
            since: time.openapi({ description: "When this value was first read." }),
            asOf: time.openapi({ description: "The latest instant for which it is known to be true." }),
            fresh: z.boolean().openapi({ description: "Whether it is provably at most a second old." }),
            expiresAt: time.openapi({ description: "When it is read again, although nobody said that it changed." }),
          })
          .nullable()
          .openapi({ description: "Null where the key is not remembered." }),
        store: z
          .union([z.object(content), z.object({ error: z.string() })])
          .openapi({ description: "What the store has now, read past what is remembered." }),
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
export function cacheView(app: OpenAPIHono, operators: Operators, viewCache: ViewCache): void {
  const route = createRoute({
    method: "get",
    path: "/admin/v1/cache",
    summary: "What is remembered of a key, and what the store has",
    description:
      "Asking changes nothing that is remembered. Only keys of sets that a source reads can be asked for, never those of tokens.",
    tags: ["Operation"],
    ...operators.atLeast("viewer"),
    parameters: [{ name: "key", in: "query", required: true, schema: { type: "string" }, example: "features:user:1" }],
    responses: {
      200: {
        description: "The key in each store in which a source reads it.",
        content: jsonContent(CachedKeyBody),
      },
      ...problemResponses("unauthenticated", "unknown-set"),
    },
  });
  app.openapi(route, async (c) => {
    const key = c.req.query("key") ?? "";
    const connections = (await viewCache.view(key)).map(shown);
    return c.json({ key, pid: process.pid, connections }, 200, uncached);
  });
}

const shown = ({ connection, sources, cached, store }: CachedKey) => ({
  connection,
  sources,
  cached: cached
    ? {
        ...cached,
        since: timeText(cached.since),
        asOf: timeText(cached.asOf),
        expiresAt: timeText(cached.expiresAt),
      }
    : null,
  store,
});

const timeText = (at: number): string => new Date(at).toISOString();
