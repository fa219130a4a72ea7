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
export const tellsMembers = ({ members, size }: SetRecord): boolean => members !== undefined || size === 0;

/**
 * Applies the record of a set. Returns its next state, with the previous members changed in place, and the features
 * that turned on or off. Throws `StaleRevision`.
 */
export function next(before: SetState | undefined, record: SetRecord, position: number, at: number) {
  const { added, removed, origin, revision } = record;
  const { epoch, number } = revision;
  const isSameEpoch = before?.epoch === epoch;
  if (isSameEpoch && number <= before.number) throw new StaleRevision();
  const members = before?.members ?? new Set();
  const turned = turnedBy(record, members);
  for (const [feature, isOn] of turned) {
    if (isOn) members.add(feature);
    else members.delete(feature);
  }
  // A detected change without details makes the members unknown.
  const tellsChange = origin === "change" || added.length + removed.length > 0;
  const followsOn = isSameEpoch && before.isKnown && number === before.number + 1;
  const state: SetState = {
    id: before?.id ?? position,
    at: Math.max(at, before?.at ?? at),
    isKnown: tellsMembers(record) || (tellsChange && followsOn),
    epoch,
    number,
    members,
  };
  return { state, turned };
}

function turnedBy(record: SetRecord, before: ReadonlySet<FeatureKey>): Map<FeatureKey, boolean> {
  const { added, removed, members = [] } = record;
  const turned = new Map<FeatureKey, boolean>();
  for (const feature of added) turned.set(feature, true);
  for (const feature of removed) turned.set(feature, false);
  if (!tellsMembers(record)) return turned;
  const after = new Set(members);
  for (const feature of turned.keys()) turned.set(feature, after.has(feature));
  for (const feature of after) if (!before.has(feature)) turned.set(feature, true);
  for (const feature of before) if (!after.has(feature)) turned.set(feature, false);
  return turned;
}
