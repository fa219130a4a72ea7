import { randomUUID } from "node:crypto";
import { waitAtMost } from "../../application/async/deadline.ts";
import { confirmationWaitMs } from "../../domain/evaluation/cached-read.ts";
import type { InstanceProcess, RollCall } from "../../domain/evaluation/invalidation-feed.ts";
import { confirmedChannel } from "./redis-keys.ts";

/**
 * All feeds of a server subscribe to this channel, including those of other versions, so that a message reaches and
 * counts all of them.
 */
export const invalidationChannel = "__redis__:invalidate";
const question = /^tidegate:confirm:([\w-]+):(\d+)$/;
/** A number with this prefix asks for the name of the process, too. Earlier versions confirm it without a name. */
const rollCallPrefix = "0";
const answer = /^(\d+)(?: (\{.*\}))?$/;

/** Publishes a message. Returns the number of receivers. */
export type Publish = (channel: string, message: string) => Promise<number>;

/**
 * Confirmations that all feeds of a server have received the invalidations so far.
 *
 * A question follows the invalidations over the same connections: PUBLISH returns how many feeds it reaches, and each
 * answers after the preceding invalidations.
 */
export function confirmations(publish: Publish, process?: InstanceProcess) {
  const id = randomUUID();
  /** The channel on which the feeds confirm. */
  const channel = confirmedChannel(id);
  const questions = new Map<string, (process: InstanceProcess | undefined) => void>();
  let lastNumber = 0;

  /**
   * Resolves when all feeds have confirmed, or after the freshness bound, with their numbers. `areCounted`: whether the
   * receivers are all feeds. `isRollCall`: whether they name their processes.
   */
  async function confirm(areCounted: boolean, isRollCall = false): Promise<RollCall & { readonly confirmed: number }> {
    const number = `${isRollCall ? rollCallPrefix : ""}${++lastNumber}`;
    const processes: InstanceProcess[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    let receivers = areCounted ? undefined : Number.POSITIVE_INFINITY;
    let confirmed = 0;
    const check = () => receivers !== undefined && confirmed >= receivers && resolve();
    questions.set(number, (process) => {
      confirmed += 1;
      if (process) processes.push(process);
      check();
    });
    publish(invalidationChannel, `tidegate:confirm:${id}:${number}`).then(
      (count) => {
        // This feed is one of the receivers unless its connection is lost.
        if (count > 0) receivers ??= count;
        check();
      },
      () => {},
    );
    await waitAtMost(confirmationWaitMs, all);
    questions.delete(number);
    const isCounted = receivers !== undefined && Number.isFinite(receivers);
    const missing = isCounted ? Math.max(0, (receivers ?? 0) - confirmed) : undefined;
    return { confirmed, missing, processes, unnamed: confirmed - processes.length };
  }

  /** Receives a confirmation. */
  function receive(message: string): void {
    const [, number = "", name] = answer.exec(message) ?? [];
    questions.get(number)?.(name === undefined ? undefined : processIn(name));
  }

  /** Returns a function that confirms the question in a message; `undefined` if the message is no question. */
  function replyTo(message: string): (() => void) | undefined {
    const [, feed, number] = question.exec(message) ?? [];
    if (feed === undefined || number === undefined) return undefined;
    const isNamed = number.startsWith(rollCallPrefix) && process !== undefined;
    const name = isNamed ? ` ${JSON.stringify(process)}` : "";
    return () => void publish(confirmedChannel(feed), number + name).catch(() => {});
  }

  return { channel, confirm, receive, replyTo };
}

export type Confirmations = ReturnType<typeof confirmations>;

function processIn(text: string): InstanceProcess | undefined {
  try {
    const { host, instance, pid, version, startedAt } = JSON.parse(text);
    const isValid = typeof host === "string" && typeof version === "string" && [instance, pid].every(Number.isInteger);
    return isValid && Number.isFinite(startedAt) ? { host, instance, pid, version, startedAt } : undefined;
  } catch {
    return undefined;
  }
}
