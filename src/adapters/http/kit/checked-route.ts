import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { jsonBody } from "./json-body.ts";
import { jsonContent } from "./json-content.ts";
import { noQuery, queryOf } from "./query.ts";

/** Definition of a route: its OpenAPI description, the schemas of its query and JSON body, and its access control. */
export type CheckedRoute<Query extends z.ZodObject, Body extends z.ZodType> = Omit<RouteConfig, "request"> & {
  /** Runs before all checks. */
  readonly middleware: MiddlewareHandler;
  /** Without it, every query parameter is rejected. */
  readonly query?: Query;
  /** Without it, no body is read. */
  readonly body?: Body;
  /** Maximum body size in bytes. Default: that of `jsonBody`. */
  readonly longestBody?: number;
};

/** The parsed query and body of a request. */
type Given<Query extends z.ZodType, Body extends z.ZodType> = {
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
};

/**
 * Registers a route that validates its query and body by their schemas. Invalid requests do not reach the handler. A
 * parameter `feature` at the end of the path matches the rest of it, because feature keys may contain slashes.
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
      ...(body && { body: { required: true, content: jsonContent(body) } }),
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
