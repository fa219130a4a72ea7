/**
 * Headers that mark a stale response (RFC 9211, RFC 9111). `ageMs` is its age in milliseconds; `more` is appended to
 * the detail of `Cache-Status`.
 */
export function staleMarks(ageMs: number, more = ""): { readonly "Cache-Status": string; readonly Age: string } {
  const seconds = Math.max(1, Math.ceil(ageMs / 1_000));
  const detail = more ? `stale; ${more}` : "stale";
  return { "Cache-Status": `tidegate; hit; ttl=-${seconds}; detail="${detail}"`, Age: `${seconds}` };
}
