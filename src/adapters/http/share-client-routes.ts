import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { CallContext } from "./client/call-context.ts";
import { searchPath } from "./feeds/search.ts";
import { bulkPath } from "./ofrep/ofrep-fast-path.ts";
import type { CrossOriginSharing } from "./server/cross-origin-sharing.ts";
import { ofrepStreamPath } from "./streams/advertised-streams.ts";
import { featuresStreamPath } from "./streams/features-stream.ts";
import { frontendPaths } from "./unleash/frontend-paths.ts";
import { isUnleashPath } from "./unleash/unleash-error-members.ts";

const allowedHeaders = ["Authorization", "Content-Type", "If-None-Match", "X-API-Key", "X-Request-Id"];

/** Paths that CORS can allow for other origins; `/*` matches the path itself too. Admin routes are never allowed. */
const sharedPaths = ["/features", featuresStreamPath, ofrepStreamPath, searchPath, `${bulkPath}/*`];
/** The same for Unleash's frontend SDKs, with the headers that they send. */
const unleashPaths = frontendPaths.map((path) => `${path}/*`);
const unleashHeaders = ["Unleash-AppName", "Unleash-Connection-Id", "Unleash-SDK"];

/** Adds CORS to the routes of clients. */
export function shareClientRoutes(
  app: OpenAPIHono,
  sharing: CrossOriginSharing,
  callContext: CallContext,
  hasUnleash: boolean,
): void {
  // Built for each call, because sources can add headers at any time.
  const shared: MiddlewareHandler = (c, next) =>
    cors({
      origin: sharing.origins === "*" ? "*" : [...sharing.origins],
      allowMethods: () => methodsOf(c.req.path),
      allowHeaders: [
        ...allowedHeaders,
        ...(isUnleashPath(c.req.path) ? unleashHeaders : []),
        ...callContext.headersOfClients,
      ],
      exposeHeaders: [...sharing.exposed],
      maxAge: 600,
    })(c, next);
  for (const path of [...sharedPaths, ...(hasUnleash ? unleashPaths : [])])
    app.use(path, (c, next) => (asksForMethods(c) ? next() : shared(c, next)));
}

/** Whether an OPTIONS request is no CORS preflight: it requests the allowed methods. */
const asksForMethods = ({ req }: Context): boolean =>
  req.method === "OPTIONS" && !req.header("access-control-request-method");

const methodsOf = (path: string): string[] => {
  if (isUnleashPath(path)) return ["GET", "HEAD", "POST"];
  return path.startsWith(bulkPath) ? ["POST"] : ["GET", "HEAD"];
};
