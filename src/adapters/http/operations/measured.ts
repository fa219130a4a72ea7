import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { getPath } from "hono/utils/url";
import type { Fetch } from "../server/request-listener.ts";
import { type HttpCounters, noRoute } from "./http-counters.ts";

/** Wraps the app to count and measure each response under its route pattern. */
export function measured(app: OpenAPIHono, counters: HttpCounters): Fetch {
  return (request, environment) => {
    const start = performance.now();
    const response = app.fetch(request, environment);
    const measure = (finished: Response) => {
      counters.of(routeOf(app, request), request.method).measure(finished.status, start);
      return environment.outgoing.headersSent ? RESPONSE_ALREADY_SENT : finished;
    };
    return response instanceof Promise ? response.then(measure) : measure(response);
  };
}

function routeOf(app: OpenAPIHono, request: Request): string {
  const [handlers] = app.router.match(request.method === "HEAD" ? "GET" : request.method, getPath(request));
  return handlers.find(([[, { method }]]) => method !== "ALL")?.[0][1].path ?? noRoute;
}
