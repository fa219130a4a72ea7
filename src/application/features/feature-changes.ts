import { type ChangeRecord, externalActor, type SetRecord } from "../../domain/admin/change.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import type { History } from "../../domain/events/history.ts";
import { withDeadline } from "../evaluation/deadline.ts";

/** The last event that changed a feature: its membership in a set, its rule or its description. */
export type FeatureChange = {
  readonly event: string;
  readonly at: Instant;
  readonly by: string;
  readonly note?: string;
  /** `baseline`: the feature was in a set when its records began. */
  readonly origin: SetRecord["origin"];
};

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
  readonly #changes = new Map<number, FeatureChange>();
  #positions = new Map<FeatureKey, number>();
  #reading: Promise<void> | undefined;

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
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    const isRead = this.#reading.then(
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
  async at(positions: readonly number[]): Promise<ReadonlyMap<number, FeatureChange>> {
    const missing = positions.filter((position) => !this.#changes.has(position));
    if (missing.length > 0) {
      try {
        const events = await withDeadline(maxWaitMs, () => this.#log.at(missing));
        if (this.#changes.size > maxKept) this.#changes.clear();
        for (const event of events) this.#changes.set(event.position, changeIn(event));
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

/** The change that an event records. */
export function changeIn({ id, at, recordedBy: by, change }: Event): FeatureChange {
  return change ? changeOfRecord(change.record) : { event: id, at, by, origin: "change" };
}

/** The change of a record. */
export function changeOfRecord(record: ChangeRecord): FeatureChange {
  const { id: event, at, by, note } = record;
  const origin = record.of === "set" ? record.origin : by === externalActor ? "external" : "change";
  return { event, at, by, origin, ...(note !== undefined && { note }) };
}
