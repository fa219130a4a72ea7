import type { IncomingMessage, ServerResponse } from "node:http";
// Made with the native Response, before the listener replaces that; another one would be sent a second time.
import "@hono/node-server/utils/response";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { CallEnvironment } from "./incoming.ts";

/** Handles a Fetch request; `environment` holds Node's request and response. */
export type Fetch = (request: Request, environment: CallEnvironment) => Response | Promise<Response>;

/** Host of a request without one, which HTTP/1.0 allows. */
const hostlessName = "localhost";

/**
 * Serves the requests of Node.js by `fetch`. `failed` responds if a request cannot be converted (`isInvalid`), or if
 * `fetch` throws. Replaces the global `Request` and `Response` by faster ones.
 */
export const requestListener = (
  fetch: Fetch,
  failed: (error: unknown, isInvalid: boolean) => Response,
): ((incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>) =>
  getRequestListener((request, environment) => fetch(request, environment as CallEnvironment), {
    hostname: hostlessName,
    errorHandler: (error) => failed(error, error instanceof RequestError),
  });
