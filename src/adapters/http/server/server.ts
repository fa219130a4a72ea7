import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, Server } from "node:net";
import type { Log } from "../../../infrastructure/logger.ts";
import { SetupFailed } from "../../../infrastructure/setup-failed.ts";
import { createServer } from "../../node-http.ts";
import { warmUp } from "../client/warm-up.ts";
import { problemDetails } from "../problems/problem-details.ts";
import type { ProblemCode } from "../problems/problem-types.ts";
import { Admission, type Limits } from "./admission.ts";
import { framingFault } from "./framing-fault.ts";
import { urlOf } from "./host.ts";
import { details, implemented, type Rejection, sendMethods, sendProblem } from "./rejections.ts";
import { requestId } from "./request-id.ts";
import type { Fetch, requestListener } from "./request-listener.ts";
import { targetFault, toOriginForm } from "./target.ts";
import { respondToUnparsed, sendToSocket } from "./unparsed.ts";

/** A listening HTTP server. */
export type HttpServer = {
  /** The base URL, such as `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Sends `Connection: close` for `drainMs`, then stops accepting and waits for requests in flight. */
  readonly stop: (drainMs: number) => Promise<void>;
};

/** Called for each response that bypasses the app. The method is `undefined` if it could not be parsed. */
type Rejected = (status: number, method: string | undefined) => void;

const options = {
  maxHeaderSize: 16_384,
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  // Longer than the usual 60 s idle timeout of load balancers.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  // Skips the body stream of requests without a body.
  optimizeEmptyRequests: true,
  // `requestFault` rejects requests without a host, with problem details.
  requireHostHeader: false,
};
/** Time limit of requests in flight at shutdown, in milliseconds. Source timeouts must be shorter. */
const deadlineMs = 5_000;
/**
 * Longest time for the first request to arrive on a connection accepted just before the shutdown, in milliseconds. A
 * client on a busy machine may need hundreds.
 */
const underWayMs = 1_000;
const overloaded: Record<keyof Limits, string> = {
  connections: "Too many connections (server.limits.connections). Retry after 1 s.",
  inFlight: "Too many requests in flight (server.limits.inFlight). Retry after 1 s.",
};

/**
 * Takes a request before the app; returns whether it did. Then it responds, or calls `next` to leave the request to the
 * app after all.
 */
export type TryServe = (incoming: IncomingMessage, outgoing: ServerResponse, next: () => void) => boolean;

/**
 * Serves an app over HTTP/1.1. Calls the fast path `shortcut` before the app. Rejects if it cannot listen on the
 * address.
 */
export async function listen(
  fetch: Fetch,
  shortcut: TryServe,
  rejected: Rejected,
  {
    host,
    port,
    basePath,
    isWarm,
    warmed,
    limits,
  }: {
    readonly host: string;
    readonly port: number;
    readonly basePath: string;
    readonly isWarm: boolean;
    /** Called after the warm-up, before the server listens. */
    readonly warmed: () => Promise<void>;
    /** Read at each request. */
    readonly limits: () => Limits | undefined;
  },
  log: Log,
): Promise<HttpServer> {
  let stopping = false;
  const admission = new Admission(limits);
  const failed = (error: unknown, isInvalid: boolean) => {
    const code = isInvalid ? "bad-request" : "internal-error";
    const id = requestId(undefined);
    if (!isInvalid) log.error({ requestId: id, cause: String(error) }, "internal error");
    const { status, headers, body } = problemDetails(code, details[code], id);
    rejected(status, undefined);
    return new Response(body, { status, headers });
  };
  let listener: ReturnType<typeof requestListener> | undefined;
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> =>
    listener ? listener(incoming, outgoing) : lateListener().then((loaded) => loaded(incoming, outgoing));
  // The fast path needs no Request and no Response.
  const lateListener = async () => {
    listener ??= (await import("./request-listener.ts")).requestListener(fetch, failed);
    return listener;
  };
  const reject = (outgoing: ServerResponse, code: ProblemCode, detail: string) =>
    rejected(sendProblem(outgoing, code, detail), outgoing.req.method);
  const server = createServer(options, (incoming, outgoing) => {
    if (stopping) outgoing.setHeader("Connection", "close");
    toOriginForm(incoming);
    if (!isBelow(basePath, incoming)) return reject(outgoing, "not-found", details["not-found"]);
    const limit = admission.refusal(incoming, outgoing);
    if (limit) return reject(outgoing, "overloaded", overloaded[limit]);
    const serve = () => {
      const fault = requestFault(incoming);
      if (fault === "bad-path" && isBrokenPageLink(incoming)) incoming.url = pageOfBrokenLinks;
      else if (fault) return reject(outgoing, fault, details[fault]);
      if (incoming.url === "*") rejected(sendMethods(outgoing), incoming.method);
      else void answer(incoming, outgoing);
    };
    if (!shortcut(incoming, outgoing, serve)) serve();
  });
  const sent = (status: number | undefined) => status !== undefined && rejected(status, undefined);
  server.on("clientError", (error, socket) => sent(respondToUnparsed(error, socket)));
  // By default, Node closes the connection without a response.
  server.on("connect", (_, socket) => sent(sendToSocket(socket, "not-implemented")));
  server.on("checkExpectation", (_, outgoing: ServerResponse) => {
    reject(outgoing, "expectation-failed", details["expectation-failed"]);
  });
  if (isWarm) {
    await warmUp(server, basePath);
    await warmed();
  }
  server.on("connection", (socket) => admission.connected(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", ({ message }) => {
      reject(new SetupFailed(`cannot listen on ${host}:${port}: ${message}; set PORT or HOST, or stop what is there`));
    });
    server.listen(port, host, resolve);
  });
  return {
    url: urlOf(server.address() as AddressInfo) + basePath,
    stop: async (drainMs) => {
      stopping = true;
      await new Promise((resolve) => setTimeout(resolve, drainMs));
      // `http.Server.close` would also close connections whose first request has not arrived yet.
      const closed = new Promise((resolve) => Server.prototype.close.call(server, resolve));
      await new Promise((resolve) => setTimeout(resolve, Math.min(drainMs, underWayMs)));
      server.closeIdleConnections();
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** The backoffice page shows that nothing is here, since a browser keeps the broken address. */
const pageOfBrokenLinks = "/backoffice/broken";

const isBrokenPageLink = ({ url, method }: IncomingMessage): boolean =>
  url?.startsWith("/backoffice/") === true && (method === "GET" || method === "HEAD");

/** The fault of a request; checked before the Fetch conversion, which normalises paths and rejects TRACE. */
function requestFault(incoming: IncomingMessage): Rejection | undefined {
  const { url = "", method = "" } = incoming;
  const fault = framingFault(incoming) ?? (implemented.includes(method) ? undefined : "not-implemented");
  return fault ?? (url === "*" && method === "OPTIONS" ? undefined : targetFault(url));
}

/** Whether the target is below the base path. Removes the base path from it. `*` is below every base path. */
function isBelow(basePath: string, incoming: IncomingMessage): boolean {
  const { url = "" } = incoming;
  if (basePath === "" || url === "*") return true;
  const rest = url.slice(basePath.length);
  if (!url.startsWith(basePath) || !/^([/?]|$)/.test(rest)) return false;
  incoming.url = rest.startsWith("/") ? rest : `/${rest}`;
  return true;
}
