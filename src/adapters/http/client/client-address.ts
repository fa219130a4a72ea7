import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { parse } from "forwarded-parse";

const bracketed = /^\[([^\]]*)\](?::[\w.-]+)?$/;
const version4WithPort = /^([\d.]+):[\w.-]+$/;

/**
 * The client's address: the nearest hop that is not a trusted proxy, or the farthest hop if all are trusted. Reads hops
 * from `X-Forwarded-For`, or from `Forwarded` (RFC 7239) if the former is absent. `undefined` if that hop has no
 * readable address, if `Forwarded` is malformed, or if the connection is closed.
 */
export function clientAddress(
  { socket, headers }: Pick<IncomingMessage, "socket" | "headers">,
  isTrusted: (address: string, hop: number) => boolean,
): string | undefined {
  const forwardedFor = headers["x-forwarded-for"];
  const hops = forwardedFor === undefined ? hopsOf(headers.forwarded) : `${forwardedFor}`.split(",").filter(isFilled);
  const path = [socket.remoteAddress, ...hops.reverse()].map(addressIn);
  return path.at(path.findIndex((address, hop) => address === undefined || !isTrusted(address, hop)));
}

const isFilled = (text: string): boolean => text.trim() !== "";

/** Treats a malformed header as one unreadable hop: a quote that a client left open could hide the hops of proxies. */
function hopsOf(forwarded: string | undefined): (string | undefined)[] {
  if (forwarded === undefined) return [];
  try {
    return parse(forwarded).map((hop) => hop["for"]);
  } catch {
    return [undefined];
  }
}

/** Parses the address in `203.0.113.9:17085`, `"[2001:db8::1]:4711"`, or a plain address. */
function addressIn(text = ""): string | undefined {
  const node = text.trim().replace(/^"(.*)"$/, "$1");
  const [, inside = node] = bracketed.exec(node) ?? version4WithPort.exec(node) ?? [];
  const address = inside.replace(/^::ffff:/i, "");
  return isIP(address) ? address : undefined;
}
