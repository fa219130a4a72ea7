import type { IncomingMessage } from "node:http";
import { isCredentialName } from "../../infrastructure/credential-name.ts";
import { isHost } from "./host.ts";

/** RFC 9112, 3 recommends to read request lines of 8,000 octets. */
const longestTarget = 8_000;
const absoluteForm = /^https?:\/\/([^/?#]+)(.*)$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const refused = /\/\/|\\|[\u0000-\u001f\u007f]|(^|\/)\.{1,2}(\/|$)/;

/**
 * Replaces a target in absolute-form (RFC 9112, 3.2.2) by its origin-form, and `host` by its authority. One with an
 * invalid authority, or of another scheme than http and https, stays.
 */
export function toOriginForm(incoming: IncomingMessage): void {
  const [, authority, rest = ""] = absoluteForm.exec(incoming.url ?? "") ?? [];
  if (authority === undefined || !isHost(authority)) return;
  incoming.headers.host = authority;
  if (rest === "" && incoming.method === "OPTIONS") incoming.url = "*";
  else incoming.url = rest.startsWith("/") ? rest : `/${rest}`;
}

/** The fault of a target in origin-form, before anything normalises it; `undefined` if there is none. */
export function targetFault(
  target: string,
): "uri-too-long" | "bad-request" | "bad-path" | "credential-in-query" | undefined {
  if (target.length > longestTarget) return "uri-too-long";
  if (!target.startsWith("/") || target.includes("#")) return "bad-request";
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (/%2f|%5c/i.test(path)) return "bad-path";
  try {
    if (refused.test(decodeURIComponent(path))) return "bad-path";
  } catch {
    return "bad-path";
  }
  if (query < 0) return undefined;
  return new URLSearchParams(target.slice(query)).keys().some(isCredentialName) ? "credential-in-query" : undefined;
}
