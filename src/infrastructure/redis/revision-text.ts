import type { Change } from "../../domain/change.ts";

/** The revision that a change is for, as the scripts take it: nothing where it is for any. */
export function revisionText(revision: Change["ifRevision"]): string {
  if (revision === undefined) return "";
  return revision === null ? "null" : `${revision.epoch}:${revision.number}`;
}
