import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { jsonBody } from "./json-body.ts";
import { noQuery, queryOf } from "./query.ts";

/** The description of a route, with the schemas of its query and of its JSON body, and who may call it. */
export type CheckedRoute<Query extends z.ZodObject, Body extends z.ZodType> = Omit<RouteConfig, "request"> & {
  /** Comes before all checks. */
  readonly middleware: MiddlewareHandler;
  /** Left out, there are no parameters. */
  readonly query?: Query;
  /** Left out, no body is read. */
  readonly body?: Body;
  /** The largest body, in bytes; else as `jsonBody` has it. */
  readonly longestBody?: number;
};

/** What a request sent, as the schemas want it. */
type Given<Query extends z.ZodType, Body extends z.ZodType> = {
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
};

/**
 * Adds a route that takes what its description says it takes, and refuses all else before the handler is asked. A parameter
 * `feature` at the end of the path takes all that is left of it, because a feature key may have slashes.
 */
export function checkedRoute<Query extends z.ZodObject = typeof noQuery, Body extends z.ZodType = z.ZodUndefined>(
  app: OpenAPIHono,
  { middleware, query, body, longestBody, ...description }: CheckedRoute<Query, Body>,
  handle: (c: Context, given: Given<Query, Body>) => Response | Promise<Response>,
): void {
  app.openAPIRegistry.registerPath({
    ...description,
    request: {
      ...(query && { query }),
      ...(body && { body: { required: true, content: { "application/json": { schema: body } } } }),
    },
  });
  const path = description.path.replaceAll(/\/{(.+?)}/g, "/:$1").replace(/:feature$/, ":feature{[^]+}");
  app.on(description.method, path, middleware, async (c) =>
    handle(c, {
      query: queryOf(c.req.url, query ?? noQuery) as z.output<Query>,
      body: (body && (await jsonBody(c, body, longestBody))) as z.output<Body>,
    }),
  );
}
