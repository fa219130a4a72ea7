import type { Context } from "hono";
import { inSlices } from "../../../application/async/in-slices.ts";
import type { Watch, Watchable, WatchEvaluations } from "../../../application/streams/watch-evaluations.ts";
import { streamHeaders } from "../response-headers.ts";
import { outgoingOf } from "../server/incoming.ts";
import { ClientStream } from "./client-stream.ts";
import type { StreamClient, StreamLimits } from "./stream-limits.ts";
import { takeConnection } from "./take-connection.ts";

/** Bounds of the delay before a client reconnects, in milliseconds. It is random, so that clients spread. */
const retryMs = { min: 1_000, max: 5_000 };

/** Content of a stream. */
export type ClientStreamOptions<T extends Watchable> = {
  /** Label of the stream in metrics. */
  readonly kind: "features" | "ofrep";
  readonly client: StreamClient;
  readonly headers?: Readonly<Record<string, string>>;
  /** The first event, if any. */
  readonly first: Buffer | undefined;
  readonly evaluate: Watch<T>["evaluate"];
  /** The evaluation that the client has; `undefined` if none succeeded yet. */
  readonly last: T | undefined;
  /** The event of an evaluation. */
  readonly frameOf: (evaluated: T) => Buffer;
};

/** The open streams of clients in a process. Sends a heartbeat on each. */
export class ClientStreams {
  readonly #limits: StreamLimits;
  readonly #evaluations: WatchEvaluations;
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<ClientStream>();
  #isClosed = false;
  /** Number of open streams, by kind. */
  readonly open = { features: 0, ofrep: 0 };
  /** Number of events sent because of a change, by kind. */
  readonly notified = { features: 0, ofrep: 0 };
  /** Number of streams cut because their reader took nothing. */
  cut = 0;

  constructor(limits: StreamLimits, evaluations: WatchEvaluations, beatMs = 15_000) {
    this.#limits = limits;
    this.#evaluations = evaluations;
    this.#timer = setInterval(() => void this.#beat(), beatMs).unref();
  }

  /** Number of refused streams, by the limit. */
  get refused(): StreamLimits["refused"] {
    return this.#limits.refused;
  }

  /** Responds with a stream, past the response that it returns. Throws `HttpProblem` beyond a limit. */
  respond<T extends Watchable>(c: Context, options: ClientStreamOptions<T>): Response {
    const { kind, client, first, evaluate, last, frameOf } = options;
    if (c.req.method === "HEAD") return new Response(null, { headers: { ...streamHeaders, ...options.headers } });
    const outgoing = outgoingOf(c);
    const release = this.#limits.admit(client);
    // Middleware has set headers on the response of the context.
    const headers = { ...Object.fromEntries(c.res.headers), ...streamHeaders, ...options.headers };
    // The body ends with the connection, so that frames are written to it as they are.
    outgoing.removeHeader("Transfer-Encoding");
    outgoing.writeHead(200, { ...headers, Connection: "close" }).flushHeaders();
    const socket = takeConnection(outgoing);
    if (!socket) {
      // The connection is lost, or responds to an earlier request first. The client reconnects.
      release();
      outgoing.end();
      return new Response();
    }
    const stream = new ClientStream(socket);
    const retry = Math.round(retryMs.min + Math.random() * (retryMs.max - retryMs.min));
    socket.write(`retry: ${retry}\n\n`);
    this.#open.add(stream);
    this.open[kind] += 1;
    const changed = (evaluated: T) => {
      this.notified[kind] += 1;
      stream.send(frameOf(evaluated));
    };
    const stop = this.#evaluations.start<T>({ evaluate, changed, rejected: () => stream.end() }, last);
    socket.once("close", () => {
      stop();
      release();
      this.#open.delete(stream);
      this.open[kind] -= 1;
    });
    if (first) stream.send(first);
    if (this.#isClosed) stream.end();
    return new Response();
  }

  /** Ends all streams, and each later one at once, so that clients reconnect to another process. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const stream of this.#open) stream.end();
  }

  #beat(): Promise<void> {
    return inSlices(this.#open, (stream) => {
      if (!stream.beat()) this.cut += 1;
    });
  }
}
