import type { ExplainedFeature, Explanation, Result } from "./person-queries.ts";

/** A change that made a difference: of a set, or of a rule if `set` is null. */
export type DecidingChange = {
  readonly set: string | null;
  readonly isOn: boolean;
  readonly at: string;
  readonly by: string;
  readonly note: string | undefined;
};

/** A feature that differs between two explanations. */
export type Difference = {
  readonly one: ExplainedFeature;
  readonly other: ExplainedFeature;
  /** The last change between the two moments; absent if a clock, a rule or another user made the difference. */
  readonly change: DecidingChange | undefined;
};

/** The groups of differences, in the order in which they are shown. */
export const groups: readonly { readonly name: string; readonly holds: (difference: Difference) => boolean }[] = [
  { name: "Switched on", holds: ({ one, other }) => other.on === true && one.on !== true },
  { name: "Value changed", holds: ({ one, other }) => other.on === true && one.on === true },
  { name: "Switched off or unknown", holds: ({ other }) => other.on !== true },
];

const absent = (feature: string): ExplainedFeature => ({
  feature,
  on: false,
  message: "off: no source lists it",
  decidedBy: [],
  reason: null,
  variant: null,
  results: [],
});

/** Compares what two contexts get. */
export function compared(
  one: Explanation,
  other: Explanation,
): { readonly differences: readonly Difference[]; readonly same: readonly ExplainedFeature[] } {
  const [ofOne, ofOther] = [byKey(one), byKey(other)];
  const [from, to] = [one.at, other.at].sort() as [string, string];
  const differences: Difference[] = [];
  const same: ExplainedFeature[] = [];
  for (const key of [...new Set([...ofOne.keys(), ...ofOther.keys()])].sort()) {
    const [first, second] = [ofOne.get(key) ?? absent(key), ofOther.get(key) ?? absent(key)];
    if (first.on === second.on && first.variant === second.variant) same.push(second);
    else differences.push({ one: first, other: second, change: changeBetween([first, second], from, to) });
  }
  return { differences, same };
}

const byKey = ({ features }: Explanation) => new Map(features.map((feature) => [feature.feature, feature]));

/** The last change of a source whose result differs, made after `from` and until `to`. */
function changeBetween(sides: readonly [ExplainedFeature, ExplainedFeature], from: string, to: string) {
  const [first, second] = sides.map(({ results }) => new Map(results.map((result) => [result.source, result])));
  const changes = sides
    .flatMap(({ results }) => results)
    .filter(({ source }) => first?.get(source)?.result !== second?.get(source)?.result)
    .flatMap(changeOf)
    .filter(({ at }) => at > from && at <= to);
  return changes.sort((one, other) => (one.at < other.at ? 1 : -1))[0];
}

function changeOf({ lastChange, set, result }: Result): readonly DecidingChange[] {
  if (!lastChange || lastChange.origin === "baseline") return [];
  return [{ set, isOn: result === "on", at: lastChange.at, by: lastChange.by, note: lastChange.note }];
}
