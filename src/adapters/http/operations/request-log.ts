import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Log } from "../../../infrastructure/logger.ts";
import { requestId } from "../server/request-id.ts";

/** Logs each request. Logs the route, not the target, which can contain secrets. */
export const requestLog =
  (log: Log): MiddlewareHandler =>
  async (c, next) => {
    const start = performance.now();
    await next();
    const id = c.res.headers.get("x-request-id") ?? requestId(c.req.header("x-request-id"));
    c.res.headers.set("x-request-id", id);
    const route = routePath(c, -1);
    const ms = Number((performance.now() - start).toFixed(3));
    log.info({ requestId: id, method: c.req.method, route, status: c.res.status, ms }, "request");
  };
