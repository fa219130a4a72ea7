import { isSameRevision } from "../../domain/admin/change.ts";
import { addressIn, type EditableSet, isPersonal } from "../../domain/admin/editable-set.ts";
import type { FeatureStore, SetAddress } from "../../domain/admin/feature-store.ts";
import type { SetIndex } from "../../domain/admin/set-index.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import type { History } from "../../domain/events/history.ts";
import type { SetRecorder } from "../../domain/events/set-recorder.ts";
import type { HistoryCoverage } from "./history-coverage.ts";
import type { OutboxRelay } from "./outbox-relay.ts";

/** In a store with more users' sets than this, each set is first recorded when it changes. */
const maxPersonal = 10_000;
/** Maximum number of sets of another template, such as those of locations. */
const maxShared = 100_000;
/** Maximum number of changed keys in memory while another process may reconcile them. Beyond it, all sets are. */
const maxChangedKeys = 100_000;
const atOnce = 100;

/** A store to reconcile: its name, and the sets that sources read. */
export type ReconciledStore = {
  readonly name: string;
  readonly index: SetIndex;
  readonly changes: SetRecorder & Pick<FeatureStore, "revisions">;
  readonly editableSets: readonly EditableSet[];
};

/**
 * Set reconciler: makes the log agree with the sets of a store. Records changes that were made outside Tidegate, the
 * first content of each set, and sets that the store lost or restored.
 */
export class SetReconciler {
  readonly #store: ReconciledStore;
  readonly #log: EventLog;
  readonly #history: History;
  readonly #relay: OutboxRelay;
  readonly #coverage: HistoryCoverage;
  readonly #changed = new Set<string>();
  #isAllDue = true;

  constructor(store: ReconciledStore, log: EventLog, history: History, relay: OutboxRelay, coverage: HistoryCoverage) {
    this.#store = store;
    this.#log = log;
    this.#history = history;
    this.#relay = relay;
    this.#coverage = coverage;
  }

  /** Marks a key as changed, or all keys if `undefined`. Does not read anything. */
  changed(key: string | undefined): void {
    if (key !== undefined && !this.#addressOf(key)) return;
    if (key === undefined || this.#changed.size >= maxChangedKeys) this.#isAllDue = true;
    else this.#changed.add(key);
  }

  /** Whether there are sets to reconcile. */
  get isDue(): boolean {
    return this.#isAllDue || this.#changed.size > 0;
  }

  /** Reconciles the changed sets. Rejects if the store or the log does not respond; the rest stays due. */
  async reconcile(): Promise<void> {
    const keys = [...this.#changed];
    await this.#each(keys, async (key) => {
      this.#changed.delete(key);
      await this.#reconcile(key).catch((error) => {
        this.#changed.add(key);
        throw error;
      });
    });
    if (!this.#isAllDue) return;
    this.#isAllDue = false;
    try {
      for (const stored of this.#store.editableSets) await this.#reconcileAll(stored);
    } catch (error) {
      this.#isAllDue = true;
      throw error;
    }
  }

  async #reconcileAll(stored: EditableSet): Promise<void> {
    const personal = isPersonal(stored);
    const { keys, complete } =
      stored.key.fields.length === 0
        ? { keys: [stored.key.text], complete: true }
        : await this.#store.index.keys(stored.key.prefix, personal ? maxPersonal : maxShared);
    const own = keys.filter((key) => stored.key.matches(key));
    if (complete) await this.#each(own, (key) => this.#reconcile(key));
    await this.#relay.relay(this.#store.name);
    await this.#compare(stored);
    if (complete && (await this.#coverage.of(this.#store.name, stored.key.text)) === undefined) {
      await this.#log.append(await this.#coverage.event(this.#store.name, stored.key.text));
    }
  }

  /** Finds and fixes the sets whose last record differs from the store. */
  async #compare(stored: EditableSet): Promise<void> {
    const { name, changes } = this.#store;
    let after: string | undefined;
    while (true) {
      const page = await this.#history.revisions(name, stored.key.prefix, 1_000, after);
      if (page.length === 0) return;
      after = page.at(-1)?.key;
      const own = page.filter(({ key }) => stored.key.matches(key));
      const present = await changes.revisions(own.map(({ key }) => key));
      const differing = own
        .filter(({ revision }, index) => !isSameRevision(revision, present[index]))
        .map(({ key }) => key);
      await this.#each(differing, (key) => this.#correct(stored, key));
    }
  }

  /** Reads the set before and after the log, because a change may be made, or recorded, between two reads. */
  async #correct(stored: EditableSet, key: string): Promise<void> {
    const { name, changes } = this.#store;
    const address = { key, personal: isPersonal(stored) };
    if (await changes.reconcile(address)) return;
    const [found] = await changes.revisions([key]);
    await this.#relay.relay(name);
    const [recorded] = await this.#history.revisions(name, key, 1);
    if (recorded?.key !== key || !found || isSameRevision(recorded.revision, found)) return;
    const [present] = await changes.revisions([key]);
    if (isSameRevision(found, present)) await changes.rebase(address);
  }

  async #reconcile(key: string): Promise<void> {
    const address = this.#addressOf(key);
    if (!address) return;
    try {
      await this.#store.changes.reconcile(address);
    } catch (error) {
      // An invalid set has nothing to record until it is fixed. The source that reads it reports the fault.
      if (!(error instanceof StoreDataInvalid)) throw error;
    }
  }

  #addressOf(key: string): SetAddress | undefined {
    return addressIn(this.#store.editableSets, key);
  }

  async #each(keys: readonly string[], task: (key: string) => Promise<void>): Promise<void> {
    for (let start = 0; start < keys.length; start += atOnce) {
      await Promise.all(keys.slice(start, start + atOnce).map(task));
    }
  }
}
