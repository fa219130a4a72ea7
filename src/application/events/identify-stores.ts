import type { Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import type { FeatureStore } from "../../domain/admin/feature-store.ts";
import { lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownStores } from "../../domain/events/known-stores.ts";

const setsAtOnce = 1_000;

/** A store with an identity, and the revisions that prove which changes it made. */
export type IdentifiableStore = {
  /** The identity in the store; `undefined` if it can be neither read nor written. */
  identity(): Promise<string | undefined>;
  readonly changes: Pick<FeatureStore, "revisions">;
  readonly documents: Pick<DocumentStore, "revisions">;
  /** The collections that may have documents. */
  readonly collections: readonly string[];
};

/**
 * Identifies stores, so that each has its own history, regardless of the connection. A store claims the events of
 * version 0.1 under the name of its connection if it made some of them. The proof is an epoch that both the store and
 * the log hold, because epochs are unique.
 */
export class IdentifyStores {
  readonly #stores: ReadonlyMap<string, IdentifiableStore>;
  readonly #knownStores: KnownStores;
  readonly #history: History;
  readonly #entered = new Map<string, string>();

  /** `history` is queried by the names in events. */
  constructor(stores: ReadonlyMap<string, IdentifiableStore>, knownStores: KnownStores, history: History) {
    this.#stores = stores;
    this.#knownStores = knownStores;
    this.#history = history;
  }

  /**
   * The key of a store's history in the event log: its identity, or the name of its connection if it has none. While
   * the store is unavailable, the last known identity. Rejects if the log, or a store that is not identified yet, does
   * not answer.
   */
  async of(connection: string): Promise<string> {
    const store = this.#stores.get(connection);
    if (!store) throw new Error(`no store is configured for connection "${connection}"`);
    const last = this.#entered.get(connection);
    const identity = await store.identity().catch((error: unknown) => {
      if (last === undefined) throw error;
      return last;
    });
    if (identity === undefined) return connection;
    if (identity === last) return identity;
    await this.#knownStores.enter(identity, connection);
    if ((await this.#knownStores.hasUnclaimed(connection)) && (await this.#made(connection, store))) {
      await this.#knownStores.claim(identity, connection);
    }
    this.#entered.set(connection, identity);
    return identity;
  }

  /** All names under which events of the store are recorded; the result of `of` is first. */
  async namesOf(connection: string): Promise<readonly string[]> {
    return this.#knownStores.namesOf(await this.of(connection));
  }

  /** Whether the store made some of the events that carry the name of its connection. */
  async #made(connection: string, { changes, documents, collections }: IdentifiableStore): Promise<boolean> {
    let after: string | undefined;
    while (true) {
      const page = await this.#history.revisions(connection, "", setsAtOnce, after);
      const last = page.at(-1);
      if (!last) break;
      const present = await changes.revisions(page.map(({ key }) => key));
      if (page.some(({ revision }, index) => isSameEpoch(revision, present[index]))) return true;
      after = last.key;
    }
    for (const collection of collections) {
      const recorded = await this.#history.documentsAt(connection, collection, lastInstant);
      for (const [name, revision] of await documents.revisions(collection)) {
        if (isSameEpoch(revision, recorded?.get(name)?.revision)) return true;
      }
    }
    return false;
  }
}

const isSameEpoch = (one: Revision, other: Revision | undefined): boolean => one.epoch === other?.epoch;
