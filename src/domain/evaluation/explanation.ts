import type { FeatureKey, Resolution } from "./feature.ts";
import type { DeclaredSource } from "./source.ts";

/**
 * Why a source says nothing at all. `unavailable`: it cannot tell, and nobody is answered without it. `left-out`: it cannot tell
 * either, but is merged as one that is not there. `not-known`: nobody knows what it said at that moment.
 */
export type NoResultReason = "not-known" | "unavailable" | "left-out";

/** What one source said, or why it did not. */
export type SourceOutcome = {
  readonly source: DeclaredSource;
  readonly result: ReadonlyMap<FeatureKey, Resolution> | NoResultReason;
};

/** What one source says of one feature; `unlisted` where it does not know it. */
export type SourceVerdict = "on" | "off" | "unlisted" | NoResultReason;

/** What settled it; each names sources. */
export type Cause =
  /** A veto has it, whoever grants it. */
  | { readonly kind: "vetoed"; readonly veto: string }
  /** A grant has it, and these gates let it through. */
  | { readonly kind: "granted"; readonly grant: string; readonly gates: readonly string[] }
  /** A grant has it, and this gate does not let it through; nor does any other grant have it that is let through. */
  | { readonly kind: "held"; readonly grant: string; readonly gate: string }
  /** No grant has it. */
  | { readonly kind: "ungranted" }
  /** It hangs on these sources, which say nothing. */
  | { readonly kind: "open"; readonly silent: readonly string[] };

/** Whether a feature is on, and why. */
export type Explanation = {
  readonly feature: FeatureKey;
  /** `undefined` where what is known leaves both possible. */
  readonly on: boolean | undefined;
  readonly cause: Cause;
  /** What the granting source says of it, where it is on. */
  readonly resolution?: Resolution;
  /** What each source says of it, in the order given. */
  readonly verdicts: readonly { readonly source: string; readonly stance: SourceVerdict }[];
};

/** A source's word on the one feature. */
type SourceWithVerdict = { readonly rule: DeclaredSource; readonly stance: SourceVerdict };

/**
 * Why the merge rule ({@link ./merge.ts}) switches a feature on or does not. Where sources say nothing that may not be left out, it
 * tells what holds whatever they would say, and that it is open where both are possible.
 */
export function explain(feature: FeatureKey, hearings: readonly SourceOutcome[]): Explanation {
  const words = hearings.map(({ source: rule, result: said }) => ({ rule, stance: stanceOf(said, feature) }));
  const cause = causeOf(words);
  const granting =
    cause.kind === "granted" ? hearings.find(({ source: rule }) => rule.name === cause.grant)?.result : undefined;
  const resolution = granting instanceof Map ? granting.get(feature) : undefined;
  return {
    feature,
    on: cause.kind === "open" ? undefined : cause.kind === "granted",
    cause,
    ...(resolution ? { resolution } : {}),
    verdicts: words.map(({ rule, stance }) => ({ source: rule.name, stance })),
  };
}

/** The sources that a cause names; of a feature that hangs on some, those. */
export function decidingSources(cause: Cause): readonly string[] {
  switch (cause.kind) {
    case "vetoed":
      return [cause.veto];
    case "granted":
      return [cause.grant, ...cause.gates];
    case "held":
      return [cause.grant, cause.gate];
    case "ungranted":
      return [];
    case "open":
      return cause.silent;
  }
}

/** The features that some source has a say on. */
export function knownFeatures(hearings: readonly SourceOutcome[]): ReadonlySet<FeatureKey> {
  return new Set(hearings.flatMap(({ result: said }) => (typeof said === "string" ? [] : [...said.keys()])));
}

function stanceOf(said: SourceOutcome["result"], feature: FeatureKey): SourceVerdict {
  if (typeof said === "string") return said;
  const resolution = said.get(feature);
  return resolution ? (resolution.on ? "on" : "off") : "unlisted";
}

function causeOf(words: readonly SourceWithVerdict[]): Cause {
  const vetoes = words.filter(({ rule }) => rule.role === "veto");
  const veto = vetoes.find(({ stance }) => stance === "on");
  if (veto) return { kind: "vetoed", veto: veto.rule.name };

  const gates = new Map(words.filter(({ rule }) => rule.role === "gate").map((word) => [word.rule.name, word]));
  const grants = words.filter(({ rule }) => rule.role === "grant").map((grant) => reached(grant, gates));
  const silentVetoes = vetoes.filter(hasNoResult).map(({ rule }) => rule.name);
  const granted = grants.find((grant) => grant.kind === "granted");
  if (granted) return silentVetoes.length > 0 ? { kind: "open", silent: silentVetoes } : granted;
  const silent = grants.flatMap((grant) => (grant.kind === "open" ? grant.silent : []));
  if (silent.length > 0) return { kind: "open", silent: [...new Set([...silent, ...silentVetoes])] };
  return grants.find((grant) => grant.kind === "held") ?? { kind: "ungranted" };
}

/** How far one grant gets with the feature. */
function reached({ rule, stance }: SourceWithVerdict, gates: ReadonlyMap<string, SourceWithVerdict>): Cause {
  const isOpen = hasNoResult({ stance });
  if (stance !== "on" && !isOpen) return { kind: "ungranted" };
  const closed = rule.gatedBy.find((name) => passes(gates.get(name)) === false);
  if (closed !== undefined) return isOpen ? { kind: "ungranted" } : { kind: "held", grant: rule.name, gate: closed };
  const doubtful = rule.gatedBy.filter((name) => passes(gates.get(name)) === undefined);
  const silent = [...(isOpen ? [rule.name] : []), ...doubtful];
  return silent.length > 0 ? { kind: "open", silent } : { kind: "granted", grant: rule.name, gates: rule.gatedBy };
}

/** As in the merge; `undefined` where it depends on what a silent gate would say. */
function passes(gate: SourceWithVerdict | undefined): boolean | undefined {
  if (!gate || gate.stance === "left-out") return false;
  if (hasNoResult(gate)) return undefined;
  return gate.stance === "on" || (gate.stance === "unlisted" && gate.rule.unlisted === "pass");
}

const hasNoResult = ({ stance }: Pick<SourceWithVerdict, "stance">): boolean =>
  stance === "not-known" || stance === "unavailable";
