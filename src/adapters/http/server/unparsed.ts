import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { STATUS_CODES } from "../../node-http.ts";
import { problemDetails } from "../problems/problem-details.ts";
import { allowIn, details, type Rejection } from "./rejections.ts";
import { requestId } from "./request-id.ts";

/** Time for a client to read the response to input that is no request, in milliseconds. */
const lingeringMs = 1_000;

/** Private parts of a socket of Node's HTTP server: the request that it reads, and the response that it writes. */
type Exchange = {
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
  readonly _httpMessage?: ServerResponse | null;
};

/** Whether the request whose body cannot be parsed has its response already: another one would answer the next. */
function isAnswered(socket: Duplex): boolean {
  const { parser, _httpMessage: outgoing } = socket as Exchange;
  return parser?.incoming?.complete === false && outgoing?.headersSent !== false;
}

/**
 * Responds to input that Node cannot parse as a request; returns the status, `undefined` if nothing was sent. Node's own
 * response has no body.
 */
export function respondToUnparsed(error: ParserError, socket: Duplex): number | undefined {
  if (!isAnswered(socket)) return sendToSocket(socket, codeOf(error));
  (socket as Socket).destroySoon();
  return undefined;
}

/** Sends a problem without Node's response, if the socket is writable; returns the status. */
export function sendToSocket(socket: Duplex, code: Rejection): number | undefined {
  if (!socket.writable) {
    socket.destroy();
    return undefined;
  }
  const { status, headers, body } = problemDetails(code, details[code], requestId(undefined));
  const more = { Connection: "close", ...allowIn(code) };
  const lines = Object.entries({ ...headers, ...more });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // A client that never closes its side would hold the connection for ever.
  const lingering = setTimeout(() => socket.destroy(), lingeringMs).unref();
  socket.once("close", () => clearTimeout(lingering));
  return status;
}

type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer; readonly bytesParsed?: number };

function codeOf({ code, rawPacket, bytesParsed = 0 }: ParserError): Rejection {
  if (code === "HPE_HEADER_OVERFLOW") return "headers-too-large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request-timeout";
  if (code !== "HPE_INVALID_METHOD" || !rawPacket) return "bad-request";
  const line = rawPacket.subarray(rawPacket.lastIndexOf("\n", bytesParsed) + 1).toString("latin1");
  return /^[\w!#$%&'*+.^`|~-]+ /.test(line) ? "not-implemented" : "bad-request";
}
