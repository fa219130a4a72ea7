import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpCounters } from "../operations/http-counters.ts";
import type { CallContext } from "./call-context.ts";
import { cacheKey } from "./digest.ts";
import type { ResponseCache } from "./response-cache.ts";

const plainHost = /^[A-Za-z0-9.-]+(?::\d*)?$/;

/**
 * Fast path: serves a plain `GET /features` from the response cache, without a Fetch request and response. Returns
 * whether it responded. The route handles all other requests, with byte-identical responses.
 */
export const fastPath = (cache: ResponseCache, callContext: CallContext, counters: HttpCounters) => {
  const ofRoute = counters.of("/features", "GET");
  return (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    const { method, url = "", rawHeaders, httpVersionMajor } = incoming;
    if (method !== "GET" || httpVersionMajor !== 1 || !(url === "/features" || url.startsWith("/features?")))
      return false;
    const start = performance.now();
    const request = plainRequest(rawHeaders, callContext.varyHeaders);
    if (!request) return false;
    const key = cacheKey(url + callContext.varyKey(incoming, request.varyValues), request.authorization);
    const response = cache.find(key, request.ifNoneMatch);
    if (!response) return false;
    outgoing.writeHead(response.status, response.headers).end(response.body, response.encoding);
    ofRoute.measure(response.status, start);
    return true;
  };
};

type PlainRequest = Record<"host" | "authorization" | "ifNoneMatch", string | undefined> & {
  /** Values of the headers that responses vary by, by index. */
  readonly varyValues: (string | undefined)[];
};

const none: never[] = [];

/** Parses the raw headers, in which names and values alternate. `undefined` if the route must handle one of them. */
function plainRequest(
  rawHeaders: readonly string[],
  varyHeaders: CallContext["varyHeaders"],
): PlainRequest | undefined {
  const varyValues = varyHeaders.size > 0 ? new Array(varyHeaders.size) : none;
  const request: PlainRequest = { host: undefined, authorization: undefined, ifNoneMatch: undefined, varyValues };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1];
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    switch (name) {
      case "host":
        if (request.host !== undefined) return undefined;
        request.host = value;
        break;
      case "authorization":
        if (request.authorization !== undefined) return undefined;
        request.authorization = value;
        break;
      case "if-none-match":
        if (request.ifNoneMatch !== undefined) return undefined;
        request.ifNoneMatch = value;
        break;
      case "accept":
        if (value !== "*/*" && value !== "application/json") return undefined;
        break;
      case "content-length":
      case "transfer-encoding":
        return undefined;
      default: {
        const number = varyHeaders.size > 0 ? varyHeaders.get(name) : undefined;
        if (number === undefined) break;
        if (varyValues[number] !== undefined) return undefined;
        varyValues[number] = value;
      }
    }
  }
  return request.host !== undefined && plainHost.test(request.host) ? request : undefined;
}
