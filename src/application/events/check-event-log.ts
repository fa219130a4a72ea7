import type { Backlog } from "../../domain/admin/outbox.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { waitAtMost, withDeadline } from "../evaluation/deadline.ts";
import type { OutboxRelay } from "./outbox-relay.ts";

const timeoutMs = 500;
/** A log that was just opened may take this long. */
const longestCheckMs = 3_000;

export type LogState = "answering" | "failing";

/** The state of the recording of changes. */
export type RecordsState = {
  readonly log: LogState;
  /** The backlog of each store's outbox; `undefined` if the store does not answer. */
  readonly waiting: Readonly<Record<string, Backlog | undefined>>;
  /** The number of dead letters of this process. */
  readonly deadLetters: number;
};

/**
 * Checks whether changes reach the event log. An outage of the log does not affect evaluations, nor changes and their
 * records.
 */
export class CheckEventLog {
  readonly #log: EventLog;
  readonly #drain: OutboxRelay;
  #logState: LogState = "answering";
  #underWay: Promise<void> | undefined;

  constructor(log: EventLog, drain: OutboxRelay) {
    this.#log = log;
    this.#drain = drain;
  }

  /**
   * Never rejects. Returns the state before while a check takes longer than half a second. Concurrent calls share a
   * check.
   */
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
      deadLetters: setAside,
    };
  }

  async #checkLog(): Promise<void> {
    const isAnswering = await answer(longestCheckMs, () => this.#log.check().then(() => true));
    this.#logState = isAnswering ? "answering" : "failing";
    this.#underWay = undefined;
  }
}

/** The result of `ask`; `undefined` if it fails or is late. */
async function answer<T>(limitMs: number, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(limitMs, ask);
  } catch {
    return undefined;
  }
}
