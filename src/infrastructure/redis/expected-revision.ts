import type { ChangeMeta } from "../../domain/admin/change.ts";

/** The expected revision of a change, as the scripts take it: empty for any. */
export function expectedRevision(revision: ChangeMeta["ifRevision"]): string {
  if (revision === undefined) return "";
  return revision === null ? "null" : `${revision.epoch}:${revision.number}`;
}
