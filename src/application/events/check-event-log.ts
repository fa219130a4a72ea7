import type { EventLog } from "../../domain/events/event-log.ts";
import type { Backlog } from "../../domain/events/outbox.ts";
import { resultWithin } from "../async/deadline.ts";
import type { OutboxRelay } from "./outbox-relay.ts";

const timeoutMs = 500;
/** A log that was just opened may take this long. */
const maxCheckMs = 3_000;

export type LogState = "answering" | "failing";

/** The state of the recording of changes. */
export type RecordsState = {
  readonly log: LogState;
  /** The backlog of each store's outbox; `undefined` if the store does not respond. */
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
  readonly #relay: OutboxRelay;
  #logState: LogState = "answering";
  #pending: Promise<void> | undefined;

  constructor(log: EventLog, relay: OutboxRelay) {
    this.#log = log;
    this.#relay = relay;
  }

  /**
   * Never rejects. Returns the previous state while a check takes longer than half a second. Concurrent calls share a
   * check.
   */
  async log(): Promise<LogState> {
    this.#pending ??= this.#checkLog();
    const pending = this.#pending;
    await resultWithin(timeoutMs, () => pending);
    return this.#logState;
  }

  /** Never rejects. */
  async check(): Promise<RecordsState> {
    const { stores, deadLetters } = this.#relay;
    const [log, ...waiting] = await Promise.all([
      this.log(),
      ...stores.map((store) => resultWithin(timeoutMs, () => this.#relay.backlog(store))),
    ]);
    return {
      log,
      waiting: Object.fromEntries(stores.map((store, index) => [store, waiting[index]])),
      deadLetters,
    };
  }

  async #checkLog(): Promise<void> {
    const isAvailable = await resultWithin(maxCheckMs, () => this.#log.check().then(() => true));
    this.#logState = isAvailable ? "answering" : "failing";
    this.#pending = undefined;
  }
}
