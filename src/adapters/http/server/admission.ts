import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Maximum number of connections and of requests in flight per process; absent means unlimited. */
export type Limits = { readonly connections?: number | undefined; readonly inFlight?: number | undefined };

type Client = { hasSlot: boolean; inFlight: number };

/** Targets below the base path that are exempt from limits: health checks and the kill switch. */
const exempt = /^\/(?:health|heath|admin\/v1\/killed)(?:[/?]|$)/;
/** Streams of clients: `server.streams` limits how many are open. */
const clientStream = /^\/(?:features|ofrep\/v1)\/stream(?:\?|$)/;
/** Share of `inFlight` for requests with `If-None-Match`. Their clients have features; those without have none yet. */
const revalidationShare = 0.9;

/**
 * Admission control: rejects requests beyond the limits of a server, those without `If-None-Match` last. Exempt
 * requests count towards neither limit, but their connection does. A connection beyond the limit stays open for exempt
 * requests, and is accepted once another one closes.
 */
export class Admission {
  readonly #limits: () => Limits | undefined;
  readonly #clients = new WeakMap<Duplex, Client>();
  #connections = 0;
  #inFlight = 0;

  /** `limits` is read at each request, so that changes take effect at once. */
  constructor(limits: () => Limits | undefined) {
    this.#limits = limits;
  }

  /** Counts a connection until it closes. */
  connected(socket: Duplex): void {
    const client = { hasSlot: false, inFlight: 0 };
    this.#clients.set(socket, client);
    this.#hasSlot(client, this.#limits());
    socket.once("close", () => {
      if (client.hasSlot) this.#connections -= 1;
      // Node emits no `close` for responses queued behind another one on the connection.
      this.#inFlight -= client.inFlight;
      client.inFlight = 0;
    });
  }

  /**
   * The limit that rejects a request; `undefined` if it is accepted. An accepted request is in flight until its
   * response closes.
   */
  refusal({ url = "", headers, socket }: IncomingMessage, outgoing: ServerResponse): keyof Limits | undefined {
    const limits = this.#limits();
    if (limits === undefined || exempt.test(url)) return undefined;
    const client = this.#clients.get(socket);
    if (!client) return undefined;
    if (!this.#hasSlot(client, limits)) return "connections";
    if (clientStream.test(url)) return undefined;
    const share = headers["if-none-match"] === undefined ? 1 : revalidationShare;
    if (this.#inFlight >= Math.ceil(share * (limits.inFlight ?? Number.POSITIVE_INFINITY))) return "inFlight";
    this.#inFlight += 1;
    client.inFlight += 1;
    outgoing.once("close", () => {
      if (client.inFlight === 0) return;
      this.#inFlight -= 1;
      client.inFlight -= 1;
    });
    return undefined;
  }

  #hasSlot(client: Client, limits: Limits | undefined): boolean {
    if (!client.hasSlot && this.#connections < (limits?.connections ?? Number.POSITIVE_INFINITY)) {
      client.hasSlot = true;
      this.#connections += 1;
    }
    return client.hasSlot;
  }
}
