import { EventLogUnavailable } from "../../domain/errors.ts";
import type { Event, EventFilter, LogHead, LogPart, Proof, TrustedHead } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { resultWithin } from "../async/deadline.ts";
import { queryLog } from "./query-log.ts";

/** Maximum wait for changes that the log lacks yet. A later page contains them. */
const maxWaitMs = 1_000;
/** Events per read of an export. It limits the memory, and the time for which other queries wait. */
const atOnce = 100;

/** A page of events, newest first. */
export type Page = {
  readonly events: readonly Event[];
  /** The position for the next, older page; `undefined` if there is none. */
  readonly next: number | undefined;
};

/** Reads the event log. All methods reject with `EventLogUnavailable` if the log does not respond. */
export class ReadEvents {
  readonly #log: EventLog;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` relays the outboxes to the log. It may take a second at most, and may fail. */
  constructor(log: EventLog, beforeRead: () => Promise<void>) {
    this.#log = log;
    this.#beforeRead = beforeRead;
  }

  /**
   * The newest events, or the newest before a position. Includes every acknowledged change, unless the relay takes
   * longer than a second.
   */
  async page(filter: EventFilter, limit: number, before?: number): Promise<Page> {
    if (before === undefined) await resultWithin(maxWaitMs, this.#beforeRead);
    const found = await queryLog(() => this.#log.find(filter, limit + 1, before));
    const events = found.slice(0, limit);
    return { events, next: found.length > limit ? events.at(-1)?.position : undefined };
  }

  /** All events up to now, oldest first, in pages of a hundred. Reads a page when the one before was consumed. */
  async all(filter: EventFilter): Promise<AsyncIterable<readonly Event[]>> {
    await resultWithin(maxWaitMs, this.#beforeRead);
    const { position } = await this.head();
    return this.#upTo(position, filter);
  }

  head(): Promise<LogHead> {
    return queryLog(() => this.#log.head());
  }

  /** Verifies that the log, or a part of it, is unchanged. Takes seconds for each 100,000 events. */
  async verify(kept?: TrustedHead, part?: LogPart): Promise<Proof> {
    try {
      return await this.#log.verify(kept, part);
    } catch (cause) {
      throw new EventLogUnavailable(cause);
    }
  }

  async *#upTo(end: number, filter: EventFilter): AsyncGenerator<readonly Event[]> {
    let after = 0;
    while (after < end) {
      const events = await queryLog(() => this.#log.follow(filter, atOnce, after));
      const wanted = events.filter(({ position }) => position <= end);
      if (wanted.length > 0) yield wanted;
      after = events.length < atOnce ? end : (events.at(-1)?.position ?? end);
    }
  }
}
