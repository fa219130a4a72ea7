import { createRoute, z } from "@hono/zod-openapi";
import { problemResponses } from "../problems/problem-responses.ts";
import { uncached } from "../response-headers.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";

/** Returns the metrics of all workers in the Prometheus text format. */
type Scraped = { readonly scrape: () => Promise<string> };

/** `GET /metrics`: metrics in the Prometheus text format. */
export function metricsRoutes({ app, operators }: OperatorRoutes, { scrape }: Scraped): void {
  const route = createRoute({
    method: "get",
    path: "/metrics",
    summary: "Get metrics in the Prometheus text format",
    description:
      "Sums over all workers. If a worker does not respond within 1 s, its last counters stay in the sums, its gauges are omitted, and `tidegate_workers` is lower.",
    tags: ["Operation"],
    ...operators.atLeast("viewer"),
    responses: {
      200: {
        description: "The Prometheus text format, version 0.0.4.",
        content: {
          [type]: {
            schema: z.string(),
            example: 'tidegate_http_requests_total{route="/features",method="GET",status="200"} 4711',
          },
        },
      },
      ...problemResponses("unauthenticated"),
    },
  });
  const headers = { ...uncached, "Content-Type": type };
  app.openapi(route, async (c) => c.text(await scrape(), 200, headers));
}
