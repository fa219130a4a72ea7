import type { Event, EventFilter } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { withDeadline } from "../evaluation/deadline.ts";

/** How often the log is asked for news, while anybody wants them. */
const pollMs = 500;
const timeoutMs = 5_000;
/** How many events one reader holds in memory. */
const atOnce = 16;

/** Tells events as they come into the log, by whatever process. However many want to know, the log is asked once whether there are any. */
export class TailEvents {
  readonly #log: EventLog;
  #nextHead: Promise<number> | undefined;
  readonly #underWay = new Map<string, Promise<readonly Event[] | undefined>>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /**
   * The events after a position, oldest first, some at once: those up to `head` without delay, later ones within about a
   * second of when they came. Ends at the signal. While the log is away it waits until it answers again.
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

  /** Answers the position that it reached: `end`, unless the log went away. */
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

  /** `undefined` where the log does not answer. Readers that are equally far share an answer. */
  #read(filter: EventFilter, after: number): Promise<readonly Event[] | undefined> {
    const question = JSON.stringify([filter, after]);
    const underWay = this.#underWay.get(question);
    if (underWay) return underWay;
    const answer = asked(() => this.#log.follow(filter, atOnce, after)).finally(() => this.#underWay.delete(question));
    this.#underWay.set(question, answer);
    return answer;
  }

  /** Where the log ends, in a moment; 0 where it does not answer. */
  #headSoon(): Promise<number> {
    this.#nextHead ??= this.#headAfterPause().finally(() => {
      this.#nextHead = undefined;
    });
    return this.#nextHead;
  }

  async #headAfterPause(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    return (await asked(() => this.#log.head()))?.position ?? 0;
  }
}

async function asked<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(timeoutMs, ask);
  } catch {
    return undefined;
  }
}
