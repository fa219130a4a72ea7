import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpCounters } from "../operations/http-counters.ts";
import type { CallContext } from "./call-context.ts";
import type { ResponseCache } from "./response-cache.ts";

const plainHost = /^[A-Za-z0-9.-]+(?::\d*)?$/;

/**
 * Fast path: serves a plain `GET /features` from the response cache, without a Fetch request and response. Returns
 * whether it responded. The route handles all other requests, with byte-identical responses.
 */
export const fastPath = (answers: ResponseCache, callContext: CallContext, counters: HttpCounters) => {
  const ofRoute = counters.of("/features", "GET");
  return (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    const { method, url = "", rawHeaders, httpVersionMajor } = incoming;
    if (method !== "GET" || httpVersionMajor !== 1 || !(url === "/features" || url.startsWith("/features?")))
      return false;
    const start = performance.now();
    const asked = plainly(rawHeaders, callContext.marking);
    const wish = asked && url + callContext.markOf(incoming, asked.marking);
    const reply = wish && answers.find(wish, asked.authorization, asked.ifNoneMatch);
    if (!reply) return false;
    outgoing.writeHead(reply.status, reply.headers).end(reply.body, reply.encoding);
    ofRoute.measure(reply.status, start);
    return true;
  };
};

type Asked = Record<"host" | "authorization" | "ifNoneMatch", string | undefined> & {
  /** Values of the headers that responses vary by, by index. */
  readonly marking: (string | undefined)[];
};

const none: never[] = [];

/** Parses the raw headers, in which names and values alternate. `undefined` if the route must handle one of them. */
function plainly(rawHeaders: readonly string[], numbers: CallContext["marking"]): Asked | undefined {
  const marking = numbers.size > 0 ? new Array(numbers.size) : none;
  const asked: Asked = { host: undefined, authorization: undefined, ifNoneMatch: undefined, marking };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1];
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    switch (name) {
      case "host":
        if (asked.host !== undefined) return undefined;
        asked.host = value;
        break;
      case "authorization":
        if (asked.authorization !== undefined) return undefined;
        asked.authorization = value;
        break;
      case "if-none-match":
        if (asked.ifNoneMatch !== undefined) return undefined;
        asked.ifNoneMatch = value;
        break;
      case "accept":
        if (value !== "*/*" && value !== "application/json") return undefined;
        break;
      case "content-length":
      case "transfer-encoding":
        return undefined;
      default: {
        const number = numbers.size > 0 ? numbers.get(name) : undefined;
        if (number === undefined) break;
        if (marking[number] !== undefined) return undefined;
        marking[number] = value;
      }
    }
  }
  return asked.host !== undefined && plainHost.test(asked.host) ? asked : undefined;
}
