import type { IncomingMessage } from "node:http";
import { isCredentialName } from "../../credential-name.ts";
import { isHost } from "./host.ts";

/**
 * Maximum length in characters. Fits a percent-encoded feature key of maximum length and a query. RFC 9112, 3
 * recommends at least 8,000.
 */
export const maxTargetLength = 12_288;
const absoluteForm = /^https?:\/\/([^/?#]+)(.*)$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/**
 * Rewrites a target in absolute-form (RFC 9112, 3.2.2) to origin-form, and sets `host` to its authority. Leaves a
 * target with an invalid authority, or with a scheme other than http and https, unchanged.
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
 * The fault of a target in origin-form, checked before any normalisation; `undefined` if there is none. An encoded
 * slash or backslash is part of its segment, such as the feature key `a/b` in `/admin/v1/killed/a%2Fb`.
 */
export function targetFault(
  target: string,
): "uri-too-long" | "bad-request" | "bad-path" | "credential-in-query" | undefined {
  if (target.length > maxTargetLength) return "uri-too-long";
  if (!target.startsWith("/") || target.includes("#")) return "bad-request";
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (path.includes("\\")) return "bad-path";
  const segments = path.slice(1).split("/");
  if (!segments.every((segment, index) => isSegment(segment, index === segments.length - 1))) return "bad-path";
  if (query < 0) return undefined;
  return new URLSearchParams(target.slice(query)).keys().some(isCredentialName) ? "credential-in-query" : undefined;
}

/** Whether a segment is valid; only the last one may be empty. */
function isSegment(segment: string, isLast: boolean): boolean {
  try {
    const text = decodeURIComponent(segment);
    return (isLast || text !== "") && text !== "." && text !== ".." && !controlCharacter.test(text);
  } catch {
    return false;
  }
}
