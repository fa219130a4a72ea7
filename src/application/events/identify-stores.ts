import type { Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import type { FeatureStore } from "../../domain/admin/feature-store.ts";
import { lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownStores } from "../../domain/events/known-stores.ts";

const setsAtOnce = 1_000;

/** A store with an identity, and what tells whether it made recorded changes. */
export type IdentifiableStore = {
  /** What is written into the store to identify it; `undefined` where it can be neither read nor written. */
  identity(): Promise<string | undefined>;
  readonly changes: Pick<FeatureStore, "revisions">;
  readonly documents: Pick<DocumentStore, "revisions">;
  /** The collections that may have documents. */
  readonly collections: readonly string[];
};

/**
 * Identifies stores, so that the history of each is its own, whatever connection leads to it. A store claims the events
 * of version 0.1 that carry the name of its connection if it made some of them: epochs are unique, so one that both the
 * store and the log have proves it.
 */
export class IdentifyStores {
  readonly #stores: ReadonlyMap<string, IdentifiableStore>;
  readonly #known: KnownStores;
  readonly #history: History;
  readonly #entered = new Map<string, string>();

  /** `history` is asked by the names that events carry. */
  constructor(stores: ReadonlyMap<string, IdentifiableStore>, known: KnownStores, history: History) {
    this.#stores = stores;
    this.#known = known;
    this.#history = history;
  }

  /**
   * What keys the history of a store in the event log: its identity, or the name of its connection where it has none.
   * While the store is away, the last identity known. Rejects when the log, or a store not identified yet, is away.
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
    await this.#known.enter(identity, connection);
    if ((await this.#known.hasUnclaimed(connection)) && (await this.#made(connection, store))) {
      await this.#known.claim(identity, connection);
    }
    this.#entered.set(connection, identity);
    return identity;
  }

  /** All names under which events of the store are recorded; what `of` returns is first. */
  async namesOf(connection: string): Promise<readonly string[]> {
    return this.#known.namesOf(await this.of(connection));
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
