type StaleMarks = { readonly "Cache-Status": string; readonly Age: string };

/**
 * Headers that mark a stale response (RFC 9211, RFC 9111). `ageMs` is its age in milliseconds; `more` is appended to
 * the detail of `Cache-Status`.
 */
export const staleMarks = (ageMs: number, more = ""): StaleMarks => marksOf(secondsOf(ageMs), more);

let last = { seconds: 0, marks: [] as readonly string[] };

/**
 * The same as raw headers. All responses of one age in seconds share them, so that an outage costs no text per call.
 */
export function rawStaleMarks(ageMs: number): readonly string[] {
  const seconds = secondsOf(ageMs);
  if (seconds !== last.seconds) last = { seconds, marks: Object.entries(marksOf(seconds, "")).flat() };
  return last.marks;
}

const secondsOf = (ageMs: number): number => Math.max(1, Math.ceil(ageMs / 1_000));

function marksOf(seconds: number, more: string): StaleMarks {
  const detail = more ? `stale; ${more}` : "stale";
  return { "Cache-Status": `tidegate; hit; ttl=-${seconds}; detail="${detail}"`, Age: `${seconds}` };
}
