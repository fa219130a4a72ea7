import { isSameRevision, type Revision } from "../../domain/admin/change.ts";
import { lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { History } from "../../domain/events/history.ts";
import { withDeadline } from "../evaluation/deadline.ts";

/** The revisions of all documents of stores, removed ones included, and the relay of a store's outbox to the log. */
export type RecordedDocuments = {
  revisions(store: string, collection: string): Promise<ReadonlyMap<string, Revision>>;
  drain(store: string): Promise<void>;
};

const longestDrainMs = 2_000;

/**
 * Relays the records of a collection if the log lacks some: a change is acknowledged before it is in the log. Documents
 * that still differ afterwards were changed outside Tidegate. Rejects if the log or the store does not answer.
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
