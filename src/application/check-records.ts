import type { ActivityLog } from "../domain/activity-log.ts";
import type { Backlog } from "../domain/outbox.ts";
import { within } from "./deadline.ts";
import type { DrainOutboxes } from "./drain-outboxes.ts";

const timeoutMs = 500;

/** How the recording of changes does. */
export type RecordsState = {
  readonly log: "answering" | "failing";
  /** What waits for the log in each store; `undefined` where the store does not tell. */
  readonly waiting: Readonly<Record<string, Backlog | undefined>>;
  /** How many records this process could not put into the log as what they were. */
  readonly setAside: number;
};

/** Whether changes reach the activity log. Clients are answered, and changes made and recorded, also while they do not. */
export class CheckRecords {
  readonly #log: ActivityLog;
  readonly #drain: DrainOutboxes;

  constructor(log: ActivityLog, drain: DrainOutboxes) {
    this.#log = log;
    this.#drain = drain;
  }

  /** Never rejects. */
  async execute(): Promise<RecordsState> {
    const { stores, setAside } = this.#drain;
    const [log, ...waiting] = await Promise.all([
      answer(() => this.#log.check().then(() => true)),
      ...stores.map((store) => answer(() => this.#drain.backlog(store))),
    ]);
    return {
      log: log ? "answering" : "failing",
      waiting: Object.fromEntries(stores.map((store, index) => [store, waiting[index]])),
      setAside,
    };
  }
}

/** `undefined` where there is none in time. */
async function answer<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await within(timeoutMs, ask);
  } catch {
    return undefined;
  }
}
