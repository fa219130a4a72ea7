import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallContext } from "../client/call-context.ts";
import { digestWith } from "../client/digest.ts";
import type { ResponseCache } from "../client/response-cache.ts";
import type { HttpCounters, RouteCounters } from "../operations/http-counters.ts";
import type { CrossOriginSharing } from "../server/cross-origin-sharing.ts";
import { readBody } from "../server/read-body.ts";
import type { StreamLimits } from "../streams/stream-limits.ts";

/** The route of bulk evaluations. */
export const bulkPath = "/ofrep/v1/evaluate/flags";
/** Longer bodies are left to the route, in bytes. */
const maxBodyBytes = 16_384;
/** Longer bodies are part of a key by their digest, in bytes. A call of `hash` costs as much as half a hit. */
const maxInKey = 256;

/** A request whose body was read already; `@hono/node-server` takes it from this property. */
type ReadRequest = IncomingMessage & { rawBody?: Buffer };

/** Cache keys of bulk requests whose body was read before the route. */
export type OfrepKeys = {
  /** The cache key of a request; `undefined` if its response cannot be cached. */
  of(incoming: IncomingMessage): string | undefined;
};

/**
 * Fast path of bulk evaluations: reads the body, and serves a cached response without a Fetch request and response.
 * Otherwise it passes the request with its body on to the route.
 */
export class OfrepFastPath implements OfrepKeys {
  readonly #cache: ResponseCache;
  readonly #callContext: CallContext;
  readonly #counters: RouteCounters;
  readonly #limits: StreamLimits;
  readonly #sharing: CrossOriginSharing | undefined;
  readonly #keys = new WeakMap<IncomingMessage, string>();

  constructor(
    cache: ResponseCache,
    callContext: CallContext,
    counters: HttpCounters,
    limits: StreamLimits,
    sharing: CrossOriginSharing | undefined,
  ) {
    this.#limits = limits;
    this.#sharing = sharing;
    this.#cache = cache;
    this.#callContext = callContext;
    this.#counters = counters.of(bulkPath, "POST");
  }

  of(incoming: IncomingMessage): string | undefined {
    return this.#keys.get(incoming);
  }

  /** Returns whether it takes the request. If so, it responds or calls `next`, once the body has arrived. */
  tryServe(incoming: IncomingMessage, outgoing: ServerResponse, next: () => void): boolean {
    const { method, url, rawHeaders } = incoming;
    if (method !== "POST" || url !== bulkPath) return false;
    const headers = plainHeaders(rawHeaders);
    if (!(Number(headers?.["content-length"]) <= maxBodyBytes) || headers?.["content-type"] !== "application/json") {
      return false;
    }
    const start = performance.now();
    readBody(incoming, (body) => {
      const key = this.#keyOf(incoming, headers, body);
      const response = this.#cache.find(key, headers["if-none-match"]);
      if (response) {
        const all = this.#sharing?.addTo(response.headers, headers.origin) ?? response.headers;
        outgoing.writeHead(response.status, all as string[]).end(response.body, response.encoding);
        this.#counters.measure(response.status, start);
        return;
      }
      this.#keys.set(incoming, key);
      (incoming as ReadRequest).rawBody = body;
      next();
    });
    return true;
  }

  /** A digest of all that the response depends on. Contains no credential. */
  #keyOf(incoming: IncomingMessage, { authorization, "x-api-key": apiKey }: PlainHeaders, body: Buffer): string {
    // Rare, so that the address is not read for each request.
    const isShed = this.#limits.isShedding && this.#limits.isAddressShed(this.#callContext.addressOf(incoming));
    const varied = `${isShed ? "-" : "+"}${this.#callContext.varyKey(incoming)}\n\n`;
    const context = body.length > maxInKey ? hash("sha256", body, "base64") : body.toString("latin1");
    return digestWith(`${authorization ?? "\0"}\n${apiKey ?? "\0"}`, varied + context);
  }
}

type PlainHeaders = Record<
  "authorization" | "x-api-key" | "content-length" | "content-type" | "if-none-match" | "origin",
  string | undefined
>;

/**
 * The headers that a response depends on, which Node would parse with all others. `undefined` if one is repeated, or if
 * the route must decode the body.
 */
function plainHeaders(rawHeaders: readonly string[]): PlainHeaders | undefined {
  const headers: PlainHeaders = {
    authorization: undefined,
    "x-api-key": undefined,
    "content-length": undefined,
    "content-type": undefined,
    "if-none-match": undefined,
    origin: undefined,
  };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase();
    switch (name) {
      case "authorization":
      case "x-api-key":
      case "content-length":
      case "content-type":
      case "if-none-match":
      case "origin":
        if (headers[name] !== undefined) return undefined;
        headers[name] = rawHeaders[index + 1];
        break;
      case "content-encoding":
      case "transfer-encoding":
        return undefined;
    }
  }
  return headers;
}
