import { randomUUID } from "node:crypto";
import { waitAtMost } from "../../application/evaluation/deadline.ts";
import { staleAfterMs } from "../../domain/evaluation/cached-read.ts";
import type { Receipt } from "../../domain/evaluation/invalidation-feed.ts";
import { confirmedChannel } from "./redis-keys.ts";

/**
 * All feeds of a server subscribe to this channel, including those of other versions, so that a message reaches and
 * counts all of them.
 */
export const invalidationChannel = "__redis__:invalidate";
const question = /^tidegate:confirm:([\w-]+):(\d+)$/;

/** Publishes a message. Returns the number of receivers. */
export type Publish = (channel: string, message: string) => Promise<number>;

/**
 * Confirmations that all feeds of a server have received the invalidations so far.
 *
 * A question follows the invalidations over the same connections: PUBLISH returns how many feeds it reaches, and each
 * answers after the preceding invalidations.
 */
export class Confirmations {
  readonly #publish: Publish;
  readonly #id = randomUUID();
  /** The channel on which the feeds confirm. */
  readonly channel = confirmedChannel(this.#id);
  readonly #questions = new Map<string, () => void>();
  #lastNumber = 0;

  constructor(publish: Publish) {
    this.#publish = publish;
  }

  /**
   * Resolves when all feeds have confirmed, or after the freshness bound, with their numbers. `areCounted`: whether the
   * receivers are all feeds.
   */
  async confirm(areCounted: boolean): Promise<Receipt> {
    const number = `${++this.#lastNumber}`;
    const { promise: all, resolve } = Promise.withResolvers<void>();
    let receivers = areCounted ? undefined : Number.POSITIVE_INFINITY;
    let confirmed = 0;
    const check = () => receivers !== undefined && confirmed >= receivers && resolve();
    this.#questions.set(number, () => {
      confirmed += 1;
      check();
    });
    this.#publish(invalidationChannel, `tidegate:confirm:${this.#id}:${number}`).then(
      (count) => {
        // This feed is one of the receivers unless its connection is lost.
        if (count > 0) receivers ??= count;
        check();
      },
      () => {},
    );
    await waitAtMost(staleAfterMs, all);
    this.#questions.delete(number);
    const isCounted = receivers !== undefined && Number.isFinite(receivers);
    return { confirmed, missing: isCounted ? Math.max(0, (receivers ?? 0) - confirmed) : undefined };
  }

  /** Receives a confirmation. */
  receive(number: string): void {
    this.#questions.get(number)?.();
  }

  /** Returns a function that confirms the question in a message; `undefined` if the message is no question. */
  replyTo(message: string): (() => void) | undefined {
    const [, feed, number] = question.exec(message) ?? [];
    if (feed === undefined || number === undefined) return undefined;
    return () => void this.#publish(confirmedChannel(feed), number).catch(() => {});
  }
}
