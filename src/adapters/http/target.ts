const longestTarget = 4_096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const refused = /\/\/|\\|[\u0000-\u001f\u007f]|(^|\/)\.{1,2}(\/|$)/;

/** What is wrong with a request target, before anything normalises it; `undefined` where nothing is. */
export function targetFault(target: string): "uri-too-long" | "bad-request" | "bad-path" | undefined {
  if (target.length > longestTarget) return "uri-too-long";
  if (!target.startsWith("/")) return "bad-request";
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (/%2f|%5c/i.test(path)) return "bad-path";
  try {
    return refused.test(decodeURIComponent(path)) ? "bad-path" : undefined;
  } catch {
    return "bad-path";
  }
}
