import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallContext } from "../client/call-context.ts";
import type { ResponseCache } from "../client/response-cache.ts";
import type { HttpCounters, RouteCounters } from "../operations/http-counters.ts";
import type { CrossOriginSharing } from "../server/cross-origin-sharing.ts";
import type { StreamLimits } from "../streams/stream-limits.ts";

/** The route of bulk evaluations. */
export const bulkPath = "/ofrep/v1/evaluate/flags";
/** Longer bodies are left to the route, in bytes. */
const maxBodyBytes = 16_384;

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
    const { method, url, headers } = incoming;
    if (method !== "POST" || url !== bulkPath || headers["content-encoding"] !== undefined) return false;
    const length = Number(headers["content-length"]);
    if (!(length <= maxBodyBytes) || headers["content-type"] !== "application/json") return false;
    const start = performance.now();
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
    incoming.once("end", () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      const key = this.#keyOf(incoming, body);
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
  #keyOf(incoming: IncomingMessage, body: Buffer): string {
    const { authorization, "x-api-key": apiKey } = incoming.headers;
    // Rare, so that the address is not read for each request.
    const isShed = this.#limits.isShedding && this.#limits.isAddressShed(this.#callContext.addressOf(incoming));
    const varied = `${isShed ? "-" : "+"}${authorization ?? "\0"}\n${apiKey ?? "\0"}${this.#callContext.varyKey(incoming)}\n\n`;
    return hash("sha256", Buffer.concat([Buffer.from(varied), body]), "base64");
  }
}
