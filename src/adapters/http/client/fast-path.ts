import type { IncomingMessage, ServerResponse } from "node:http";
import { getQueryParams } from "hono/utils/url";
import type { Log } from "../../../infrastructure/logger.ts";
import type { HttpCounters, RouteCounters } from "../operations/http-counters.ts";
import { problemDetails } from "../problems/problem-details.ts";
import { problemOf } from "../problems/problem-of.ts";
import type { CrossOriginSharing } from "../server/cross-origin-sharing.ts";
import { requestId } from "../server/request-id.ts";
import type { RequestsInFlight } from "../server/requests-in-flight.ts";
import { targetFault } from "../server/target.ts";
import { tokenOf } from "./authorization.ts";
import type { CallContext } from "./call-context.ts";
import { cacheKey } from "./digest.ts";
import { type FeaturesResponses, isDetailed } from "./features-responses.ts";
import type { ClientResponse } from "./prepared-response.ts";

const path = "/features";
const plainHost = /^[A-Za-z0-9.-]+(?::\d*)?$/;

/**
 * Fast path: serves a plain `GET /features` in one pass, without a Fetch request and response. The route serves all
 * other requests, with byte-identical responses.
 */
export class FeaturesFastPath {
  readonly #responses: FeaturesResponses;
  readonly #callContext: CallContext;
  readonly #counters: RouteCounters;
  readonly #inFlight: RequestsInFlight;
  readonly #sharing: CrossOriginSharing | undefined;
  readonly #log: Log;

  constructor(
    responses: FeaturesResponses,
    callContext: CallContext,
    counters: HttpCounters,
    inFlight: RequestsInFlight,
    sharing: CrossOriginSharing | undefined,
    log: Log,
  ) {
    this.#responses = responses;
    this.#callContext = callContext;
    this.#counters = counters.of(path, "GET");
    this.#inFlight = inFlight;
    this.#sharing = sharing;
    this.#log = log;
  }

  /** Returns whether it takes the request. */
  tryServe(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method, url = "", rawHeaders, httpVersionMajor } = incoming;
    if (method !== "GET" || httpVersionMajor !== 1 || !(url === path || url.startsWith(`${path}?`))) return false;
    const start = performance.now();
    const request = plainRequest(rawHeaders, this.#callContext.varyHeaders);
    if (!request) return false;
    const key = cacheKey(url + this.#callContext.varyKey(incoming, request.varyValues), request.authorization);
    const cached = this.#responses.find(key, request.ifNoneMatch);
    if (cached) {
      this.#send(outgoing, cached, request.origin);
      this.#counters.measure(cached.status, start);
      return true;
    }
    if (url !== path && !isPlain(url)) return false;
    void this.#evaluate(incoming, outgoing, request, key, start);
    return true;
  }

  async #evaluate(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    { authorization, ifNoneMatch, origin }: PlainRequest,
    key: string,
    start: number,
  ): Promise<void> {
    this.#inFlight.begin();
    try {
      const token = tokenOf(authorization);
      const query = queryOf(incoming.url ?? "");
      const context = this.#callContext.in(incoming, query);
      const isQueried = incoming.url !== path;
      const detailed = isDetailed(query);
      const response = await this.#responses.evaluate(key, token, ifNoneMatch, context, detailed, isQueried);
      this.#send(outgoing, response, origin);
    } catch (error) {
      this.#sendProblem(outgoing, error, origin);
    } finally {
      this.#inFlight.end();
    }
    this.#counters.measure(outgoing.statusCode, start);
  }

  #send(outgoing: ServerResponse, response: ClientResponse, origin: string | undefined): void {
    const { status, headers, body, encoding } = response;
    outgoing.writeHead(status, (this.#sharing?.addTo(headers, origin) ?? headers) as string[]).end(body, encoding);
  }

  #sendProblem(outgoing: ServerResponse, error: unknown, origin: string | undefined): void {
    const id = requestId(outgoing.req.headers["x-request-id"]);
    const { code, detail, headers: extra, errors } = problemOf(error, id, this.#log);
    const { status, headers, body } = problemDetails(code, detail, id, errors);
    const all = Object.entries({ ...headers, ...extra }).flat();
    outgoing.writeHead(status, (this.#sharing?.addTo(all, origin) ?? all) as string[]).end(body);
  }
}

/** Whether a target is valid and has no query for another time. */
const isPlain = (url: string): boolean =>
  targetFault(url) === undefined && !getQueryParams(url, "at")?.length && !getQueryParams(url, "user")?.length;

const noQuery = () => none;

const queryOf = (url: string): ((name: string) => readonly string[]) =>
  url === path ? noQuery : (name) => (getQueryParams(url, name) as string[] | undefined) ?? none;

type PlainRequest = Record<"host" | "authorization" | "ifNoneMatch" | "origin", string | undefined> & {
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
  const request: PlainRequest = {
    host: undefined,
    authorization: undefined,
    ifNoneMatch: undefined,
    origin: undefined,
    varyValues,
  };
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
      case "origin":
        if (request.origin !== undefined) return undefined;
        request.origin = value;
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
