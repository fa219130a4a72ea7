import type { IncomingMessage } from "node:http";
import { isCredentialName } from "../../../infrastructure/credential-name.ts";
import { isHost } from "./host.ts";

/** In characters. Holds the longest feature key percent-encoded, and a query; RFC 9112, 3 recommends 8,000 at least. */
export const longestTarget = 12_288;
const absoluteForm = /^https?:\/\/([^/?#]+)(.*)$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/**
 * Replaces a target in absolute-form (RFC 9112, 3.2.2) by its origin-form, and `host` by its authority. One with an
 * invalid authority, or of another scheme than http and https, stays.
 */
export function toOriginForm(incoming: IncomingMessage): void {
  if (incoming.url?.startsWith("/")) return;
  const [, authority, rest = ""] = absoluteForm.exec(incoming.url ?? "") ?? [];
  if (authority === undefined || !isHost(authority)) return;
  incoming.headers.host = authority;
  if (rest === "" && incoming.method === "OPTIONS") incoming.url = "*";
  else incoming.url = rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * The fault of a target in origin-form, before anything normalises it; `undefined` if there is none. An encoded slash or
 * backslash is part of its segment, as of the feature key `a/b` in `/admin/v1/killed/a%2Fb`.
 */
export function targetFault(
  target: string,
): "uri-too-long" | "bad-request" | "bad-path" | "credential-in-query" | undefined {
  if (target.length > longestTarget) return "uri-too-long";
  if (!target.startsWith("/") || target.includes("#")) return "bad-request";
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (path.includes("\\")) return "bad-path";
  const segments = path.slice(1).split("/");
  if (!segments.every((segment, index) => isSegment(segment, index === segments.length - 1))) return "bad-path";
  if (query < 0) return undefined;
  return new URLSearchParams(target.slice(query)).keys().some(isCredentialName) ? "credential-in-query" : undefined;
}

/** Only the last segment may be empty. */
function isSegment(segment: string, isLast: boolean): boolean {
  try {
    const text = decodeURIComponent(segment);
    return (isLast || text !== "") && text !== "." && text !== ".." && !controlCharacter.test(text);
  } catch {
    return false;
  }
}
