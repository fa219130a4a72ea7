import type { Backlog } from "../../domain/admin/outbox.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { waitAtMost, withDeadline } from "../evaluation/deadline.ts";
import type { OutboxRelay } from "./outbox-relay.ts";

const timeoutMs = 500;
/** A log that is just opened may take so long. */
const longestCheckMs = 3_000;

export type LogState = "answering" | "failing";

/** How the recording of changes does. */
export type RecordsState = {
  readonly log: LogState;
  /** What waits for the log in each store; `undefined` where the store does not tell. */
  readonly waiting: Readonly<Record<string, Backlog | undefined>>;
  /** How many records this process could not put into the log as what they were. */
  readonly setAside: number;
};

/** Whether changes reach the activity log. Clients are answered, and changes made and recorded, also while they do not. */
export class CheckEventLog {
  readonly #log: EventLog;
  readonly #drain: OutboxRelay;
  #logState: LogState = "answering";
  #underWay: Promise<void> | undefined;

  constructor(log: EventLog, drain: OutboxRelay) {
    this.#log = log;
    this.#drain = drain;
  }

  /** Never rejects. While a check takes longer than half a second, it is the state before. Concurrent calls share a check. */
  async log(): Promise<LogState> {
    this.#underWay ??= this.#checkLog();
    await waitAtMost(timeoutMs, this.#underWay);
    return this.#logState;
  }

  /** Never rejects. */
  async check(): Promise<RecordsState> {
    const { stores, deadLetters: setAside } = this.#drain;
    const [log, ...waiting] = await Promise.all([
      this.log(),
      ...stores.map((store) => answer(timeoutMs, () => this.#drain.backlog(store))),
    ]);
    return {
      log,
      waiting: Object.fromEntries(stores.map((store, index) => [store, waiting[index]])),
      setAside,
    };
  }

  async #checkLog(): Promise<void> {
    const isAnswering = await answer(longestCheckMs, () => this.#log.check().then(() => true));
    this.#logState = isAnswering ? "answering" : "failing";
    this.#underWay = undefined;
  }
}

/** `undefined` where there is none in time. */
async function answer<T>(limitMs: number, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(limitMs, ask);
  } catch {
    return undefined;
  }
}
