import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { LastChange } from "../../domain/events/history.ts";
import type { FeatureOutcome } from "../../domain/explain/explanation.ts";
import { changeEntryOf } from "../events/change-entry.ts";
import type { SetRead, SourceAttempt } from "./evaluate-each-source.ts";
import type { ExplainedFeature } from "./explained.ts";

/** The last change of each feature, by set. */
export type LastChanges = ReadonlyMap<SetRead, ReadonlyMap<FeatureKey, LastChange>>;

/** The set that has a feature, and the change that added it; for a removed feature, the set that had it last. */
export function membershipOf(
  feature: FeatureKey,
  result: FeatureOutcome,
  sets: readonly SetRead[],
  attempt: SourceAttempt | undefined,
  lastChanges: LastChanges | undefined,
): Pick<ExplainedFeature["results"][number], "set" | "lastChange"> {
  const lastChangeIn = (set: SetRead) => {
    const { on, event } = lastChanges?.get(set)?.get(feature) ?? {};
    // The log may not have caught up with the store.
    return event?.change && result === (on ? "on" : "absent") ? changeEntryOf(event.change.record) : undefined;
  };
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
  const metadata = attempt && "result" in attempt ? attempt.result.features.get(feature)?.metadata : undefined;
  return metadata ? { metadata } : {};
}
