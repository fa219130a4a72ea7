import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { hasBody, jsonBody } from "./json-body.ts";
import { jsonContent } from "./json-content.ts";
import { noQuery, queryOf } from "./query.ts";

/** The part of a route's definition that clients see. `Api` derives their types from it. */
export type TypedRoute<
  Method extends RouteConfig["method"] = RouteConfig["method"],
  Path extends string = string,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Responses extends RouteConfig["responses"] = RouteConfig["responses"],
> = {
  readonly method: Method;
  readonly path: Path;
  /** Without it, every query parameter is rejected. */
  readonly query?: Query | undefined;
  /** Without it, no body is read. */
  readonly body?: Body | undefined;
  readonly responses: Responses;
};

/** Definition of a route: its OpenAPI description, the schemas of its query and JSON body, and its access control. */
export type CheckedRoute<
  Method extends RouteConfig["method"],
  Path extends string,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Responses extends RouteConfig["responses"],
> = Omit<RouteConfig, "method" | "path" | "request" | "responses"> &
  TypedRoute<Method, Path, Query, Body, Responses> & {
    /** Runs before all checks. */
    readonly middleware: MiddlewareHandler;
    /** Whether the body may be absent; it is then `{}`. */
    readonly isBodyOptional?: boolean;
    /** Maximum body size in bytes. Default: that of `jsonBody`. */
    readonly maxBodyBytes?: number;
  };

/** The parsed query and body of a request. */
export type CheckedInput<Query extends z.ZodType, Body extends z.ZodType> = {
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
};

/**
 * Registers a route that validates its query and body by their schemas, and returns what clients see of it. Invalid
 * requests do not reach the handler. A parameter `feature` at the end of the path matches the rest of it, because
 * feature keys may contain slashes.
 */
export function checkedRoute<
  Method extends RouteConfig["method"],
  Path extends string,
  Responses extends RouteConfig["responses"],
  Query extends z.ZodObject = typeof noQuery,
  Body extends z.ZodType = z.ZodUndefined,
>(
  app: OpenAPIHono,
  {
    middleware,
    query,
    body,
    isBodyOptional = false,
    maxBodyBytes,
    method,
    path,
    responses,
    ...description
  }: CheckedRoute<Method, Path, Query, Body, Responses>,
  handle: (c: Context, input: CheckedInput<Query, Body>) => Response | Promise<Response>,
): TypedRoute<Method, Path, Query, Body, Responses> {
  app.openAPIRegistry.registerPath({
    ...description,
    ...{ method, path, responses },
    request: {
      ...(query && { query }),
      ...(body && { body: { required: !isBodyOptional, content: jsonContent(body) } }),
    },
  });
  const pattern = path.replaceAll(/\/{(.+?)}/g, "/:$1").replace(/:feature$/, ":feature{[^]+}");
  const bodyOf = async (c: Context) => (isBodyOptional && !hasBody(c) ? {} : body && jsonBody(c, body, maxBodyBytes));
  app.on(method, pattern, middleware, async (c) =>
    handle(c, {
      query: queryOf(c.req.url, query ?? noQuery) as z.output<Query>,
      body: (body && (await bodyOf(c))) as z.output<Body>,
    }),
  );
  return { method, path, query, body, responses };
}
