import type { SetRecord } from "../../../domain/admin/change.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";

/** A revision that is not after the last recorded one of the same set and epoch. It cannot be folded. */
export class StaleRevision extends Error {
  override readonly name = "StaleRevision";
}

/** The state of a set after one of its events. */
export type SetState = {
  /** The position of the set's first event. */
  readonly id: number;
  /** Time of the event, but never before that of an earlier event of the set. */
  readonly at: number;
  /** Whether its members are known. */
  readonly isKnown: boolean;
  readonly epoch: string;
  readonly number: number;
  /** The known members. Complete only where `next` compares them. */
  readonly members: Set<FeatureKey>;
};

/** Whether a record lists all members, so that they are compared with the previous ones. */
export const listsMembers = ({ members, size }: SetRecord): boolean => members !== undefined || size === 0;

/**
 * Applies the record of a set. Returns its next state, with the previous members changed in place, and the features
 * that turned on or off. Throws `StaleRevision`.
 */
export function next(previous: SetState | undefined, record: SetRecord, position: number, at: number) {
  const { added, removed, origin, revision } = record;
  const { epoch, number } = revision;
  const isSameEpoch = previous?.epoch === epoch;
  if (isSameEpoch && number <= previous.number) throw new StaleRevision();
  const members = previous?.members ?? new Set();
  const changed = changesOf(record, members);
  for (const [feature, isOn] of changed) {
    if (isOn) members.add(feature);
    else members.delete(feature);
  }
  // A detected change without details makes the members unknown.
  const listsChanges = origin === "change" || added.length + removed.length > 0;
  const followsOn = isSameEpoch && previous.isKnown && number === previous.number + 1;
  const state: SetState = {
    id: previous?.id ?? position,
    at: Math.max(at, previous?.at ?? at),
    isKnown: listsMembers(record) || (listsChanges && followsOn),
    epoch,
    number,
    members,
  };
  return { state, changed };
}

function changesOf(record: SetRecord, previous: ReadonlySet<FeatureKey>): Map<FeatureKey, boolean> {
  const { added, removed, members = [] } = record;
  const changed = new Map<FeatureKey, boolean>();
  for (const feature of added) changed.set(feature, true);
  for (const feature of removed) changed.set(feature, false);
  if (!listsMembers(record)) return changed;
  const after = new Set(members);
  for (const feature of changed.keys()) changed.set(feature, after.has(feature));
  for (const feature of after) if (!previous.has(feature)) changed.set(feature, true);
  for (const feature of previous) if (!after.has(feature)) changed.set(feature, false);
  return changed;
}
