import { EventLogUnavailable } from "../../domain/errors.ts";
import type { Event, EventFilter, KeptHead, LogHead, Proof } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { queryLog } from "./query-log.ts";

/** So long a reader waits for changes on their way into the log; later ones are in a later answer. */
const longestWaitMs = 1_000;
/** How many events an export reads at once: they are what it holds in memory, and what others wait for. */
const atOnce = 100;

/** Some events, newest first. */
export type Page = {
  readonly events: readonly Event[];
  /** The position before which older ones stand; `undefined` where there are none. */
  readonly next: number | undefined;
};

/** Reads the activity log. Everything here rejects with `LogUnavailable` when the log does not answer. */
export class ReadEvents {
  readonly #log: EventLog;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` brings what was recorded into the log. It is waited for a second at most, and may fail. */
  constructor(log: EventLog, beforeRead: () => Promise<void>) {
    this.#log = log;
    this.#beforeRead = beforeRead;
  }

  /** The newest events, or the newest before a position; with every change that was acknowledged, unless that is not in the log within a second. */
  async page(filter: EventFilter, limit: number, before?: number): Promise<Page> {
    if (before === undefined) await this.#settled();
    const found = await queryLog(() => this.#log.find(filter, limit + 1, before));
    const events = found.slice(0, limit);
    return { events, next: found.length > limit ? events.at(-1)?.position : undefined };
  }

  /** All events up to now, oldest first, a hundred at once; the next are read when those before them were taken. */
  async all(filter: EventFilter): Promise<AsyncIterable<readonly Event[]>> {
    await this.#settled();
    const { position } = await this.head();
    return this.#upTo(position, filter);
  }

  head(): Promise<LogHead> {
    return queryLog(() => this.#log.head());
  }

  /** Whether the log is as it was written. Takes seconds for each 100,000 events. */
  async verify(kept?: KeptHead): Promise<Proof> {
    try {
      return await this.#log.verify(kept);
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

  async #settled(): Promise<void> {
    try {
      await withDeadline(longestWaitMs, this.#beforeRead);
    } catch {
      // What is in the log can be read all the same.
    }
  }
}
