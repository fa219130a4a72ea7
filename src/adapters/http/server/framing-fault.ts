import type { IncomingMessage } from "node:http";
import { isHost } from "./host.ts";

/**
 * The fault in the version, `Host` or framing of a request that a server must reject (RFC 9112, 3.2 and 6.1), although
 * Node's parser accepts it; `undefined` if there is none.
 */
export function framingFault({
  httpVersion,
  rawHeaders,
  headers,
}: IncomingMessage): "bad-request" | "unsupported-transfer-coding" | undefined {
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "host");
  const isHostless = hosts.length === 0 && httpVersion === "1.0";
  if (!isHostless && !(hosts.length === 1 && hosts.every(isHost))) return "bad-request";
  if (!httpVersion.startsWith("1.")) return "bad-request";
  if (headers["transfer-encoding"] === undefined) return undefined;
  const codings = headers["transfer-encoding"].toLowerCase().split(/[ \t]*,[ \t]*/);
  if (httpVersion === "1.0" || codings.indexOf("chunked") !== codings.length - 1) return "bad-request";
  return codings.length === 1 ? undefined : "unsupported-transfer-coding";
}
