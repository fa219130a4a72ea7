import { externalActor, isSameRevision } from "../../domain/admin/change.ts";
import type { Document, DocumentStore } from "../../domain/admin/document-store.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import { lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isSameJson } from "../../domain/evaluation/feature.ts";
import type { Rules } from "../../domain/evaluation/rules.ts";
import type { History } from "../../domain/events/history.ts";
import { coverageCollection } from "./change-event.ts";
import type { OutboxRelay } from "./outbox-relay.ts";
import { rebaseDocument } from "./rebase.ts";

/** A store with rules: its name, and the collections that sources read. */
export type ReconciledRules = {
  readonly name: string;
  readonly documents: DocumentStore;
  /** The rules without the cache. Reads reject if the store may have lost them. */
  readonly rules: Rules;
  readonly collections: readonly string[];
};

/**
 * Rule reconciler: makes the log agree with the stored rules, once after the start. Records changes that were made
 * outside Tidegate, and marks the history as complete from then on.
 */
export class RuleReconciler {
  readonly #store: ReconciledRules;
  readonly #history: History;
  readonly #relay: Pick<OutboxRelay, "relay">;
  readonly #newId: () => string;
  readonly #due: Set<string>;

  constructor(store: ReconciledRules, history: History, relay: Pick<OutboxRelay, "relay">, newId: () => string) {
    this.#store = store;
    this.#history = history;
    this.#relay = relay;
    this.#newId = newId;
    this.#due = new Set(store.collections);
  }

  /** Whether there are collections to reconcile. */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  /**
   * Reconciles the remaining collections. Rejects if the store or the log does not respond, and if the store has lost
   * its data.
   */
  async reconcile(): Promise<void> {
    for (const collection of [...this.#due]) {
      await this.#reconcile(collection).catch((error) => {
        // An invalid document cannot be recorded until it is fixed, so the history is not complete.
        if (!(error instanceof StoreDataInvalid)) throw error;
      });
      this.#due.delete(collection);
    }
  }

  async #reconcile(collection: string): Promise<void> {
    const { name: store, documents, rules } = this.#store;
    await rules.read(collection);
    // Read before the relay, so that the log then has a record of each. Later changes have records of their own.
    const found = await documents.all(collection);
    await this.#relay.relay(store);
    const recorded = await this.#history.documentsAt(store, collection, lastInstant);
    for (const [feature, document] of found) {
      const { value, revision } = document;
      const last = recorded?.get(feature);
      const isRecorded = last && isSameRevision(last.revision, revision) && isSameJson(last.value, value);
      if (!isRecorded) await this.#rebase(collection, feature, document);
    }
    for (const [feature, { value }] of recorded ?? []) {
      if (value !== null && !found.has(feature)) await this.#rebase(collection, feature, undefined);
    }
    if (await this.#history.documentAt(store, coverageCollection, collection, lastInstant)) return;
    await this.#relay.relay(store);
    const since = { collection: coverageCollection, name: collection, value: true };
    await documents.put({ id: this.#newId(), by: externalActor, ...since });
  }

  #rebase(collection: string, name: FeatureKey, found: Document | undefined): Promise<void> {
    return rebaseDocument(this.#store.documents, this.#newId(), { collection, name }, found);
  }
}
