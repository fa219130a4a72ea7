import type { Event, EventFilter } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { resultWithin } from "../async/deadline.ts";
import { shared } from "../async/shared.ts";

/** The interval of log queries while there are readers. */
const pollMs = 500;
const timeoutMs = 5_000;
/** Maximum number of events in memory for one reader. */
const atOnce = 16;

/** Tails the event log: new events of all processes. All readers share one query for the head of the log. */
export class TailEvents {
  readonly #log: EventLog;
  readonly #pending = new Map<string, Promise<readonly Event[] | undefined>>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /**
   * The events after a position, oldest first, in pages: those up to `head` without delay, later ones within about a
   * second. Ends when the signal aborts. While the log is unavailable, it waits.
   */
  async *follow(
    filter: EventFilter,
    after: number,
    head: number,
    until: AbortSignal,
  ): AsyncGenerator<readonly Event[]> {
    let position = after;
    let end = head;
    while (!until.aborted) {
      position = yield* this.#upTo(end, filter, position);
      end = await this.#headSoon();
    }
  }

  /** Returns the position reached: `end`, unless the log failed. */
  async *#upTo(end: number, filter: EventFilter, after: number): AsyncGenerator<readonly Event[], number> {
    let position = after;
    while (position < end) {
      const events = await this.#read(filter, position);
      if (!events) break;
      if (events.length > 0) yield events;
      const last = events.at(-1)?.position ?? position;
      position = events.length < atOnce ? Math.max(last, end) : last;
    }
    return position;
  }

  /** A page of events; `undefined` if the log does not respond. Readers at the same position share a query. */
  #read(filter: EventFilter, after: number): Promise<readonly Event[] | undefined> {
    const query = JSON.stringify([filter, after]);
    const pending = this.#pending.get(query);
    if (pending) return pending;
    const events = resultWithin(timeoutMs, () => this.#log.follow(filter, atOnce, after)).finally(() =>
      this.#pending.delete(query),
    );
    this.#pending.set(query, events);
    return events;
  }

  /** The position of the log's head after a pause; 0 if the log does not respond. */
  readonly #headSoon = shared(async () => {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    return (await resultWithin(timeoutMs, () => this.#log.head()))?.position ?? 0;
  });
}
