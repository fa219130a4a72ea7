import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import type { History } from "../../domain/events/history.ts";
import { withDeadline } from "../async/deadline.ts";
import { shared } from "../async/shared.ts";
import { type ChangeEntry, changeEntryOf } from "../events/change-entry.ts";

/** The position of the last event of each feature. */
export type ChangePositions = ReadonlyMap<FeatureKey, number>;

/** The longest wait for the log. A longer query still completes, for the next call. */
const maxWaitMs = 1_000;
/** The same if earlier positions are known: a log that is busy does not hold up a list. */
const maxRefreshMs = 50;
/** The most changes that are kept. */
const maxKept = 20_000;

/**
 * The last change of each feature, from the event log. Holds one number for each feature, and reads only the events
 * that came since the last call.
 */
export class FeatureChanges {
  readonly #log: Pick<EventLog, "at">;
  readonly #history: Pick<History, "changedFeatures">;
  readonly #stores: readonly string[];
  readonly #read = new Map<string, number>();
  readonly #changes = new Map<number, ChangeEntry>();
  #positions = new Map<FeatureKey, number>();
  readonly #readOnce = shared(() => this.#readOn());

  constructor(log: Pick<EventLog, "at">, history: Pick<History, "changedFeatures">, stores: readonly string[]) {
    this.#log = log;
    this.#history = history;
    this.#stores = stores;
  }

  /**
   * The positions of all last events; `undefined` if the log does not respond in time. `isUrgent`: the last known ones
   * will do if the log is busy.
   */
  async positions(isUrgent = false): Promise<ChangePositions | undefined> {
    const isRead = this.#readOnce().then(
      () => true,
      () => false,
    );
    const mayLag = isUrgent && this.#read.size > 0;
    try {
      return (await withDeadline(mayLag ? maxRefreshMs : maxWaitMs, () => isRead)) ? this.#positions : undefined;
    } catch {
      return mayLag ? this.#positions : undefined;
    }
  }

  /** The changes at positions, by position, as far as the log responds in time. Keeps them: events never change. */
  async at(positions: readonly number[]): Promise<ReadonlyMap<number, ChangeEntry>> {
    const missing = positions.filter((position) => !this.#changes.has(position));
    if (missing.length > 0) {
      try {
        const events = await withDeadline(maxWaitMs, () => this.#log.at(missing));
        if (this.#changes.size > maxKept) this.#changes.clear();
        for (const { position, change } of events)
          if (change) this.#changes.set(position, changeEntryOf(change.record));
      } catch {
        // The features are listed without these changes.
      }
    }
    return this.#changes;
  }

  async #readOn(): Promise<void> {
    for (const store of this.#stores) {
      const after = this.#read.get(store) ?? 0;
      const { positions, upTo } = await this.#history.changedFeatures(store, after);
      if (upTo < after) {
        // The log was replaced.
        this.#read.clear();
        this.#positions = new Map();
        this.#changes.clear();
        return this.#readOn();
      }
      for (const [feature, position] of positions) {
        if (position > (this.#positions.get(feature) ?? 0)) this.#positions.set(feature, position);
      }
      this.#read.set(store, upTo);
    }
  }
}
