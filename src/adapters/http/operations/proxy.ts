import { z } from "@hono/zod-openapi";
import type { KeyRead, ReadKey } from "../../../application/admin/read-key.ts";
import { maxMembers, maxStringBytes } from "../../../domain/admin/stored-values.ts";
import { staleMarks } from "../client/stale-marks.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { uncached } from "../response-headers.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";

const Query = z.strictObject({ key: z.string().openapi({ example: "page:home" }) });

const key = z.string();
const KeyBody = z
  .union([
    z.object({ key, type: z.literal("string"), value: z.string() }),
    z.object({ key, type: z.literal("set"), value: z.array(z.string()).readonly() }),
  ])
  .openapi("Key", { example: { key: "page:home", type: "string", value: "<h1>Welcome</h1>" } });

const cacheStatus = {
  description:
    'RFC 9211. `hit; ttl=N`: from the near cache and current, for N seconds if it does not change. `fwd=miss`: read from the store, and `stored` if it is cached. `hit; ttl=-N; detail="stale"`: the last known value, N seconds old.',
  schema: { type: "string" as const },
};

/** `GET /proxy`: reads the value of a key through the near cache. */
export function proxyRoutes(routes: OperatorRoutes, { readKey }: { readonly readKey: ReadKey }) {
  return routes.add(
    {
      method: "get",
      path: "/proxy",
      summary: "Get the value of a key",
      description: `Reads through the near cache: strings of up to ${maxStringBytes} bytes and sets of up to ${maxMembers} members. The key must start with a prefix of \`server.proxy\`.`,
      tags: ["Operation"],
      scope: "viewer",
      query: Query,
      responses: {
        200: jsonResponse("The value. Members of a set are sorted by code point.", KeyBody, {
          "Cache-Status": cacheStatus,
        }),
      },
      problems: ["unknown-key", "unsupported-value", "source-unavailable"],
    },
    async (c, { query }) => {
      const { value, freshness } = await readKey(query.key);
      const marks = marksOf(freshness);
      if (value === undefined) throw new HttpProblem("unknown-key", "The key does not exist in the store.", marks);
      if (value.type === "unsupported") {
        const detail = `The key holds ${value.reason}. Read it with a client of the store.`;
        throw new HttpProblem("unsupported-value", detail, marks);
      }
      return c.json({ key: query.key, ...value }, 200, { ...uncached, ...marks });
    },
  );
}

function marksOf(freshness: KeyRead["freshness"]): Record<string, string> {
  switch (freshness.state) {
    case "hit":
      return { "Cache-Status": `tidegate; hit; ttl=${Math.floor(freshness.ttlMs / 1_000)}` };
    case "miss":
      return { "Cache-Status": `tidegate; fwd=miss${freshness.isStored ? "; stored" : ""}` };
    case "stale":
      return { ...staleMarks(freshness.ageMs) };
  }
}
