import type { Revision } from "../../domain/admin/change.ts";
import { type EditableSet, isPersonal } from "../../domain/admin/editable-set.ts";
import type { FeatureStore, SetAddress } from "../../domain/admin/feature-store.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import type { History } from "../../domain/events/history.ts";
import type { HistoryCoverage } from "./history-coverage.ts";
import type { OutboxRelay } from "./outbox-relay.ts";

/** A store with more users' sets than this records each when it is first changed, and not before. */
const mostPersonal = 10_000;
/** The most sets of another family, such as those of locations. */
const mostShared = 100_000;
/** So many keys that changed are remembered by a process, of which another may be looking at them; then all may have. */
const mostRemembered = 100_000;
const atOnce = 100;

/** A store that is watched: its name, and the families of sets that sources read of it. */
export type ReconciledStore = {
  readonly name: string;
  readonly changes: FeatureStore;
  readonly families: readonly EditableSet[];
};

/**
 * Sees to it that the log tells what the sets of a store really hold: records what is done to them behind our back, what they
 * held when they were first met, and what became of those that the store has lost or turned back.
 */
export class SetReconciler {
  readonly #store: ReconciledStore;
  readonly #log: EventLog;
  readonly #history: History;
  readonly #drain: OutboxRelay;
  readonly #complete: HistoryCoverage;
  readonly #changed = new Set<string>();
  #mustLookAtAll = true;

  constructor(store: ReconciledStore, log: EventLog, history: History, drain: OutboxRelay, complete: HistoryCoverage) {
    this.#store = store;
    this.#log = log;
    this.#history = history;
    this.#drain = drain;
    this.#complete = complete;
  }

  /** A key that changed, or may have; `undefined` where all may. Only remembers it. */
  changed(key: string | undefined): void {
    if (key !== undefined && !this.#addressOf(key)) return;
    if (key === undefined || this.#changed.size >= mostRemembered) this.#mustLookAtAll = true;
    else this.#changed.add(key);
  }

  /** Whether there is something to look at. */
  get isDue(): boolean {
    return this.#mustLookAtAll || this.#changed.size > 0;
  }

  /** Looks at what changed. Rejects when the store or the log does not answer; what was not looked at stays due. */
  async reconcile(): Promise<void> {
    const keys = [...this.#changed];
    await this.#each(keys, async (key) => {
      this.#changed.delete(key);
      await this.#reconcile(key).catch((error) => {
        this.#changed.add(key);
        throw error;
      });
    });
    if (!this.#mustLookAtAll) return;
    this.#mustLookAtAll = false;
    try {
      for (const family of this.#store.families) await this.#lookAtAll(family);
    } catch (error) {
      this.#mustLookAtAll = true;
      throw error;
    }
  }

  async #lookAtAll(family: EditableSet): Promise<void> {
    const personal = isPersonal(family);
    const { keys, complete } =
      family.key.fields.length === 0
        ? { keys: [family.key.text], complete: true }
        : await this.#store.changes.keys(family.key.prefix, personal ? mostPersonal : mostShared);
    const own = keys.filter((key) => family.key.matches(key));
    if (complete) await this.#each(own, (key) => this.#reconcile(key));
    await this.#drain.relay(this.#store.name);
    await this.#compare(family);
    if (complete && (await this.#complete.of(this.#store.name, family.key.text)) === undefined) {
      await this.#log.append(await this.#complete.event(this.#store.name, family.key.text));
    }
  }

  /** Finds the sets of which the log tells something else than the store. */
  async #compare(family: EditableSet): Promise<void> {
    const { name, changes } = this.#store;
    let after: string | undefined;
    while (true) {
      const page = await this.#history.revisions(name, family.key.prefix, 1_000, after);
      if (page.length === 0) return;
      after = page.at(-1)?.key;
      const own = page.filter(({ key }) => family.key.matches(key));
      const present = await changes.revisions(own.map(({ key }) => key));
      const differing = own.filter(({ revision }, index) => !isSame(revision, present[index])).map(({ key }) => key);
      await this.#each(differing, (key) => this.#mend(family, key));
    }
  }

  /** A change may have been made, or recorded, between the two readings; then both agree when they are made again. */
  async #mend(family: EditableSet, key: string): Promise<void> {
    const { name, changes } = this.#store;
    const address = { key, personal: isPersonal(family) };
    if (await changes.reconcile(address)) return;
    await this.#drain.relay(name);
    const [present] = await changes.revisions([key]);
    const [recorded] = await this.#history.revisions(name, key, 1);
    if (recorded?.key === key && present && !isSame(recorded.revision, present)) await changes.rebase(address);
  }

  async #reconcile(key: string): Promise<void> {
    const address = this.#addressOf(key);
    if (!address) return;
    try {
      await this.#store.changes.reconcile(address);
    } catch (error) {
      // What is no set has nothing to be recorded until somebody mends it; the source that reads it tells of it.
      if (!(error instanceof StoreDataInvalid)) throw error;
    }
  }

  #addressOf(key: string): SetAddress | undefined {
    const family = this.#store.families.find((each) => each.key.matches(key));
    return family && { key, personal: isPersonal(family) };
  }

  async #each(keys: readonly string[], task: (key: string) => Promise<void>): Promise<void> {
    for (let start = 0; start < keys.length; start += atOnce) {
      await Promise.all(keys.slice(start, start + atOnce).map(task));
    }
  }
}

const isSame = (one: Revision, other: Revision | undefined): boolean =>
  one.epoch === other?.epoch && one.number === other.number;
