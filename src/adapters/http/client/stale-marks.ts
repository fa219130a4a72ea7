/** Headers of a stale answer (RFC 9211, RFC 9111), with its age in milliseconds and what else is to be said of it. */
export function staleMarks(ageMs: number, more = ""): { readonly "Cache-Status": string; readonly Age: string } {
  const seconds = Math.max(1, Math.ceil(ageMs / 1_000));
  const detail = more ? `stale; ${more}` : "stale";
  return { "Cache-Status": `tidegate; hit; ttl=-${seconds}; detail="${detail}"`, Age: `${seconds}` };
}
