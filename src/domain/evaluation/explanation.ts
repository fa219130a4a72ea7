import type { FeatureKey, Resolution } from "./feature.ts";
import type { DeclaredSource } from "./source.ts";

/**
 * Why a source has no result. `unavailable`: it fails, and so does the evaluation. `left-out`: it fails and is merged
 * as absent. `not-known`: no history at that moment.
 */
export type NoResultReason = "not-known" | "unavailable" | "left-out";

/** The result of one source, or why it has none. */
export type SourceOutcome = {
  readonly source: DeclaredSource;
  readonly result: ReadonlyMap<FeatureKey, Resolution> | NoResultReason;
};

/** The verdict of one source on one feature; `unlisted` if the source does not list it. */
export type SourceVerdict = "on" | "off" | "unlisted" | NoResultReason;

/** The cause of a verdict; each kind names sources. */
export type Cause =
  /** A veto lists it. */
  | { readonly kind: "vetoed"; readonly veto: string }
  /** A grant has it on, and these gates pass it. */
  | { readonly kind: "granted"; readonly grant: string; readonly gates: readonly string[] }
  /** A grant has it on, but this gate blocks it, and no other grant with it on passes its gates. */
  | { readonly kind: "held"; readonly grant: string; readonly gate: string }
  /** No grant has it on. */
  | { readonly kind: "ungranted" }
  /** Undetermined: it depends on these sources, which have no result. */
  | { readonly kind: "open"; readonly silent: readonly string[] };

/** Whether a feature is on, and why. */
export type Explanation = {
  readonly feature: FeatureKey;
  /** `undefined` if the known results allow both. */
  readonly on: boolean | undefined;
  readonly cause: Cause;
  /** The resolution of the granting source, if the feature is on. */
  readonly resolution?: Resolution;
  /** The verdict of each source, in the given order. */
  readonly verdicts: readonly { readonly source: string; readonly stance: SourceVerdict }[];
};

/** A source with its verdict on the feature. */
type SourceWithVerdict = { readonly rule: DeclaredSource; readonly stance: SourceVerdict };

/**
 * Explains the result of the merge rule ({@link ./merge.ts}) for one feature. If required sources have no result, it
 * returns the verdict that holds for every result of theirs; the feature is undetermined if both verdicts are possible.
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

/** The sources that a cause names; of an undetermined feature, those that it depends on. */
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

/** The features that at least one source lists. */
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

/** As in the merge; `undefined` if it depends on a gate without a result. */
function passes(gate: SourceWithVerdict | undefined): boolean | undefined {
  if (!gate || gate.stance === "left-out") return false;
  if (hasNoResult(gate)) return undefined;
  return gate.stance === "on" || (gate.stance === "unlisted" && gate.rule.default === "allow");
}

const hasNoResult = ({ stance }: Pick<SourceWithVerdict, "stance">): boolean =>
  stance === "not-known" || stance === "unavailable";
