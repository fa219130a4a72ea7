import type { ExplainedFeature, ExplainedSource, Explanation, Result } from "./person-queries.ts";

/** A source and what it says of a feature. */
export type SourceResult = { readonly source: ExplainedSource; readonly result: Result };

/** The reasons of a result, in the order of the merge rule: grants, gates, vetoes. */
export type Why = {
  /** Those that grant it first. */
  readonly grants: readonly SourceResult[];
  /** The gates of the sources that grant it; all gates if none does. */
  readonly gates: readonly SourceResult[];
  readonly vetoes: readonly SourceResult[];
};

export const isOn = ({ result }: SourceResult): boolean => result.result === "on";

/** Whether a gate lets the feature through. */
export const passes = (gate: SourceResult): boolean =>
  isOn(gate) || (gate.result.result === "absent" && gate.source.default === "allow");

/** Whether a source has no result, so that nothing follows from it. */
export const isUnknown = ({ result: { result } }: SourceResult): boolean =>
  result === "unavailable" || result === "skipped" || result === "no-history";

export function whyOf({ sources }: Pick<Explanation, "sources">, { results }: ExplainedFeature): Why {
  const all = sources.flatMap((source) => {
    const result = results.find((each) => each.source === source.name);
    return result ? [{ source, result }] : [];
  });
  const of = (role: ExplainedSource["role"]) => all.filter(({ source }) => source.role === role);
  const grants = of("grant").sort((one, other) => Number(isOn(other)) - Number(isOn(one)));
  const granting = grants.filter(isOn);
  const needed = new Set(granting.flatMap(({ source }) => source.gatedBy));
  const gates = of("gate").filter(({ source }) => granting.length === 0 || needed.has(source.name));
  return { grants, gates, vetoes: of("veto") };
}

/** What a source says of a feature, without its name. */
export function sayingOf({ source, result }: SourceResult): string {
  switch (result.result) {
    case "on":
      return result.set === null ? (result.rule === null ? "has it" : "its rule holds") : "lists it in";
    case "off":
      return result.rule === null ? "has it as off" : "its rule does not hold";
    case "absent":
      if (source.sets.length > 0) return result.lastChange ? "no longer lists it" : "does not list it";
      // A set for each location, and a caller without one.
      return source.freshness === null ? "is not read for this caller" : "has no rule for it";
    case "no-history":
      return "has no history of that time";
    case "unavailable":
      return "is unavailable";
    case "skipped":
      return "is unavailable, and was skipped";
  }
}
