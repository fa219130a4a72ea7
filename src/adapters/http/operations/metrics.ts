import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { uncached } from "../kit/response-headers.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /metrics`: metrics in the Prometheus text format. */
export function metrics(app: OpenAPIHono, operators: Operators, scrape: () => Promise<string>): void {
  const route = createRoute({
    method: "get",
    path: "/metrics",
    summary: "The figures of all workers, for Prometheus",
    description:
      "The sum over all workers. One that does not answer within a second is left out but for what it had counted, and `tidegate_workers` is lower.",
    tags: ["Operation"],
    ...operators.atLeast("viewer"),
    responses: {
      200: {
        description: "The Prometheus text format, version 0.0.4.",
        content: {
          [type]: { schema: z.string(), example: 'tidegate_calls_total{route="/features",status="200"} 4711' },
        },
      },
      ...problemResponses("unauthenticated"),
    },
  });
  const headers = { ...uncached, "Content-Type": type };
  app.openapi(route, async (c) => c.text(await scrape(), 200, headers));
}
