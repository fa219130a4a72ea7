import { type ChangeRecord, externalActor, type SetRecord } from "../../domain/admin/change.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** The event that added a feature to a set or removed it, or that changed its rule or description. */
export type ChangeEntry = {
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
  /** `baseline`: the feature was in the set when its records began. */
  readonly origin: SetRecord["origin"];
  readonly note?: string;
};

/** The entry of a record. */
export function changeEntryOf(record: ChangeRecord): ChangeEntry {
  const { id: event, by, at, note } = record;
  const origin = record.of === "set" ? record.origin : by === externalActor ? "external" : "change";
  return { event, by, at, origin, ...(note !== undefined && { note }) };
}
