import type { ChangeMeta } from "../../domain/admin/change.ts";

/** The revision that a change is for, as the scripts take it: nothing where it is for any. */
export function revisionText(revision: ChangeMeta["ifRevision"]): string {
  if (revision === undefined) return "";
  return revision === null ? "null" : `${revision.epoch}:${revision.number}`;
}
