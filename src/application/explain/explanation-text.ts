import type { Cause, Explanation } from "../../domain/explain/explanation.ts";

/** The verdict and its cause in one sentence. `keys`: the set of each source that reads one. */
export function explanationText(
  { on, cause, results }: Pick<Explanation, "on" | "cause" | "results">,
  keys: ReadonlyMap<string, string>,
): string {
  const verdict = on === undefined ? "undetermined" : on ? "on" : "off";
  return `${verdict}: ${causeText(cause, results, keys)}`;
}

function causeText(cause: Cause, results: Explanation["results"], keys: ReadonlyMap<string, string>): string {
  const named = (source: string) => {
    const key = keys.get(source);
    return key === undefined ? `"${source}"` : `"${source}" (${key})`;
  };
  switch (cause.kind) {
    case "vetoed":
      return `veto ${named(cause.veto)}`;
    case "granted":
      return [`grant ${named(cause.grant)}`, ...gatesText(cause.gates)].join(", ");
    case "held":
      return `grant ${named(cause.grant)}, but gate "${cause.gate}" denies it`;
    case "ungranted":
      return "no source grants it";
    case "undetermined":
      return noResultText(cause.dependsOn, results);
  }
}

function gatesText(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const quoted = names.map((name) => `"${name}"`);
  return [names.length === 1 ? `gate ${quoted[0]} allows it` : `gates ${listed(quoted)} allow it`];
}

function noResultText(names: readonly string[], results: Explanation["results"]): string {
  const lacksHistory = (name: string) =>
    results.some(({ source, result }) => source === name && result === "no-history");
  const withoutHistory = names.filter(lacksHistory);
  const unavailable = names.filter((name) => !lacksHistory(name));
  const parts = [
    ...(withoutHistory.length > 0 ? [`no history at that time for ${listed(withoutHistory)}`] : []),
    ...(unavailable.length > 0 ? [`${listed(unavailable)} ${unavailable.length > 1 ? "are" : "is"} unavailable`] : []),
  ];
  return parts.join("; ");
}

const listed = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("");
