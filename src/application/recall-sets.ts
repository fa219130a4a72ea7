import { NotKnown } from "../domain/errors.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import type { FeatureKey } from "../domain/feature.ts";
import type { History } from "../domain/history.ts";
import type { Backlog } from "../domain/outbox.ts";
import { askLog } from "./ask-log.ts";
import { within } from "./deadline.ts";

/** What of the records of a store has not reached the log, and a way to bring it there. */
export type Drain = {
  backlog(store: string): Promise<Backlog>;
  drain(store: string): Promise<void>;
};

/** From when on a set of which nothing is recorded was empty, named by its key, or all whose keys begin with the prefix of a template. */
type CompleteSince = (store: string, keyOrPrefix: string) => Promise<Instant | undefined>;

const longestDrainMs = 2_000;

/** What sets held at past moments, as the activity log tells it. */
export class RecallSets {
  readonly #history: History;
  readonly #drain: Drain;
  readonly #completeSince: CompleteSince;
  /** Up to when all records of a store are known to have reached the log. */
  readonly #caughtUp = new Map<string, Instant>();

  constructor(history: History, drain: Drain, completeSince: CompleteSince) {
    this.#history = history;
    this.#drain = drain;
    this.#completeSince = completeSince;
  }

  /**
   * The features in a set at a past moment. Rejects with `NotKnown` before its first record, and where its members were too many to be
   * recorded; with `LogUnavailable` when the log does not answer, or may lack changes from before that moment.
   */
  execute(store: string, key: string, at: Instant): Promise<readonly FeatureKey[]> {
    return askLog(async () => {
      await this.#catchUp(store, at);
      const past = await this.#history.setAt(store, key, at);
      return past?.features ?? (await this.#unrecorded(store, key, at));
    });
  }

  /**
   * The keys of sets that begin with the prefix of a template, at most `most`, among them those that were recorded only later;
   * `complete` says whether there were no others at that moment. Rejects with `LogUnavailable`.
   */
  keys(
    store: string,
    prefix: string,
    most: number,
    at: Instant,
  ): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }> {
    return askLog(async () => {
      const [keys, complete] = await Promise.all([
        this.#history.keys(store, prefix),
        this.#completeSince(store, prefix),
      ]);
      return {
        keys: keys.slice(0, most),
        complete: keys.length <= most && complete !== undefined && complete <= at,
      };
    });
  }

  /** A change is acknowledged before it is in the log. */
  async #catchUp(store: string, at: Instant): Promise<void> {
    if (at <= (this.#caughtUp.get(store) ?? Number.NEGATIVE_INFINITY)) return;
    const { oldest } = await this.#drain.backlog(store);
    if (oldest !== undefined && oldest <= at) await within(longestDrainMs, () => this.#drain.drain(store));
    this.#caughtUp.set(store, Math.max(at, this.#caughtUp.get(store) ?? at));
  }

  async #unrecorded(store: string, key: string, at: Instant): Promise<readonly FeatureKey[]> {
    const [first, complete] = await Promise.all([
      this.#history.firstRecord(store, key),
      this.#completeSince(store, key),
    ]);
    if (first !== undefined && first <= at) throw new NotKnown([{ name: key }]);
    if (complete !== undefined && complete <= at) return [];
    const from = Math.min(first ?? Number.POSITIVE_INFINITY, complete ?? Number.POSITIVE_INFINITY);
    throw new NotKnown([Number.isFinite(from) ? { name: key, from } : { name: key }]);
  }
}
