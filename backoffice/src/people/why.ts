import type { SourcesByName } from "../events/event-view.ts";
import type { FeatureState } from "../ui/feature-state.tsx";
import { joined } from "../ui/numbers.ts";
import type { ExplainedFeature, ExplainedSource, Explanation, Result, SummarizedFeature } from "./person-queries.ts";

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

type Verdict = Pick<SummarizedFeature, "on" | "decidedBy" | "message">;

/** The state for one context. A veto for everyone kills a feature, as in the list of features. */
export function stateOf({ on, decidedBy: [first = ""] }: Verdict, sources: SourcesByName): FeatureState {
  if (on !== false) return on ? "on" : "unknown";
  const source = sources.get(first);
  return source?.role === "veto" && source.fields.length === 0 ? "killed" : "off";
}

/** What decides the state, such as `global lists it`. */
export function causeOf({ on, decidedBy: [first = "", ...gates], message }: Verdict, sources: SourcesByName): string {
  const source = sources.get(first);
  if (on === null || !source) return sentenceOf(message.replace(/^\w+: /, ""));
  if (source.role === "veto") return `Veto ${first} switches it off`;
  const grant = `${first} ${source.key === null ? "has it for this caller" : "lists it"}`;
  if (gates.length === 0) return grant;
  const names = `gate${gates.length > 1 ? "s" : ""} ${joined(gates)}`;
  if (!on) return `${grant}, but ${names} holds it back`;
  return `${grant}, and ${names} ${gates.length > 1 ? "let" : "lets"} it through`;
}

export const stateWord = (on: boolean | null): string => (on === null ? "unknown" : on ? "on" : "off");

export const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** What a source says of a feature, without its name. */
export function sayingOf({ source, result }: SourceResult): string {
  switch (result.result) {
    case "on":
      if (result.set !== null) return "lists it in";
      return shareText(result) ?? (result.rule === null ? "has it" : "has a rule that switches it on");
    case "off":
      return shareText(result) ?? (result.rule === null ? "has it as off" : "has a rule that leaves it off");
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

/** The part of callers that a percentage includes, and whether this one is in it. */
function shareText({ result, metadata }: Result): string | undefined {
  const { share, lacks } = metadata ?? {};
  if (typeof share !== "number") return undefined;
  if (lacks !== undefined)
    return `includes ${share} % of callers, by ${lacks === "targetingKey" ? "id" : lacks}, which this caller does not have`;
  return `includes ${share} % of callers, and this one is ${result === "on" ? "among them" : "outside of them"}`;
}
