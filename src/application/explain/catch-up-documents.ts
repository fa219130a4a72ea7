import { isSameRevision, type Revision } from "../../domain/admin/change.ts";
import { lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { History } from "../../domain/events/history.ts";
import { withDeadline } from "../evaluation/deadline.ts";

/** At which revisions the documents of stores are, also removed ones, and a way to bring what stores recorded into the log. */
export type RecordedDocuments = {
  revisions(store: string, collection: string): Promise<ReadonlyMap<string, Revision>>;
  drain(store: string): Promise<void>;
};

const longestDrainMs = 2_000;

/**
 * Brings the records of a collection into the log where some are not there yet, as a change is acknowledged before it is in the log. What
 * still differs then was not recorded, because it was not done through Tidegate. Rejects when the log or the store does not answer.
 */
export async function catchUpDocuments(
  history: History,
  recorded: RecordedDocuments,
  store: string,
  collection: string,
): Promise<void> {
  const [present, told] = await Promise.all([
    recorded.revisions(store, collection),
    history.documentsAt(store, collection, lastInstant),
  ]);
  if ([...present].every(([name, revision]) => isSameRevision(revision, told?.get(name)?.revision))) return;
  await withDeadline(longestDrainMs, () => recorded.drain(store));
}
