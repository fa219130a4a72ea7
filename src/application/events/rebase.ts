import { type ChangeRecord, externalActor } from "../../domain/admin/change.ts";
import type { Document, DocumentStore } from "../../domain/admin/document-store.ts";
import { addressIn, type EditableSet } from "../../domain/admin/editable-set.ts";
import { RevisionMismatch } from "../../domain/errors.ts";
import type { SetRecorder } from "../../domain/events/set-recorder.ts";

/** A store whose items can be rebased, and the sets that sources read. */
export type RebasedStore = {
  readonly changes: SetRecorder;
  readonly documents: DocumentStore;
  readonly editableSets: readonly EditableSet[];
};

/**
 * Rebase: begins a new epoch for the item of a record that the event log rejected, for example because the store was
 * restored from a backup and used a revision again. The log agrees with the store afterwards. Tokens have no history.
 */
export const rebase =
  (storeOf: (name: string) => RebasedStore, newId: () => string) =>
  async (store: string, record: ChangeRecord): Promise<void> => {
    const { changes, documents, editableSets } = storeOf(store);
    if (record.of === "set") {
      await changes.rebase(addressIn(editableSets, record.key) ?? { key: record.key, personal: false });
    } else if (record.of === "document") {
      const found = await documents.get(record.collection, record.name);
      await rebaseDocument(documents, newId(), record, found);
    }
  };

/**
 * Records a document unchanged in a new epoch. Does nothing if it is not as it was found: a concurrent change makes its
 * own record instead.
 */
export async function rebaseDocument(
  documents: DocumentStore,
  id: string,
  { collection, name }: { readonly collection: string; readonly name: string },
  found: Document | undefined,
): Promise<void> {
  const author = { id, by: externalActor, note: "state found in the store" };
  const { value, revision: ifRevision } = found ?? { value: null, revision: null };
  try {
    await documents.put({ ...author, collection, name, value, ifRevision, newEpoch: true });
  } catch (error) {
    if (!(error instanceof RevisionMismatch)) throw error;
  }
}
