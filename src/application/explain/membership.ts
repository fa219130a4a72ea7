import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { LastChange } from "../../domain/events/history.ts";
import type { FeatureOutcome } from "../../domain/explain/explanation.ts";
import type { SetRead, SourceAttempt } from "./evaluate-each-source.ts";
import type { ChangeEntry, ExplainedFeature } from "./explained.ts";

/** The last change of each feature, by set. */
export type LastChanges = ReadonlyMap<SetRead, ReadonlyMap<FeatureKey, LastChange>>;

/** The change behind a result; nothing if the log has not caught up with it. */
function changeEntryOf(change: LastChange | undefined, result: FeatureOutcome): ChangeEntry | undefined {
  const record = change?.event.change?.record;
  if (!change || record?.of !== "set" || result !== (change.on ? "on" : "absent")) return undefined;
  const { id, by, at, note, origin } = record;
  return { event: id, by, at, origin, ...(note === undefined ? {} : { note }) };
}

/** The set that has a feature, and the change that added it; for a removed feature, the set that had it last. */
export function membershipOf(
  feature: FeatureKey,
  result: FeatureOutcome,
  sets: readonly SetRead[],
  attempt: SourceAttempt | undefined,
  lastChanges: LastChanges | undefined,
): Pick<ExplainedFeature["results"][number], "set" | "lastChange"> {
  const lastChangeIn = (set: SetRead) => changeEntryOf(lastChanges?.get(set)?.get(feature), result);
  if (result !== "on") {
    const removals = sets.flatMap((set) => {
      const lastChange = lastChangeIn(set);
      return lastChange ? [{ set: set.key, lastChange }] : [];
    });
    return removals.toSorted((one, other) => other.lastChange.at - one.lastChange.at)[0] ?? {};
  }
  const key = metadataOf(feature, attempt).metadata?.["set"];
  const set = sets.length > 1 ? sets.find((each) => each.key === key) : sets[0];
  const lastChange = set && lastChangeIn(set);
  return set ? { set: set.key, ...(lastChange ? { lastChange } : {}) } : {};
}

/** Details of the evaluation by a source; empty if there are none. */
export function metadataOf(
  feature: FeatureKey,
  attempt: SourceAttempt | undefined,
): Pick<ExplainedFeature["results"][number], "metadata"> {
  const metadata = attempt && "evaluation" in attempt ? attempt.evaluation.features.get(feature)?.metadata : undefined;
  return metadata ? { metadata } : {};
}
