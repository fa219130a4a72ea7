import type { Revision } from "../../domain/admin/change.ts";
import { HistoryUnavailable } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { History } from "../../domain/events/history.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { queryLog } from "../events/query-log.ts";

/** The present revisions of sets, and the relay of a store's outbox to the log. */
export type RecordedSets = {
  revisions(store: string, keys: readonly string[]): Promise<readonly (Revision | undefined)[]>;
  drain(store: string): Promise<void>;
};

/**
 * The start of the complete history of one set, by its key, or of all sets with the prefix of a template. From then on,
 * a set without a record is empty.
 */
type CompleteSince = (store: string, keyOrPrefix: string) => Promise<Instant | undefined>;

const longestDrainMs = 2_000;

/** The content of sets at past moments, from the event log. */
export class SetsAsOf {
  readonly #history: History;
  readonly #recorded: RecordedSets;
  readonly #completeSince: CompleteSince;

  constructor(history: History, recorded: RecordedSets, completeSince: CompleteSince) {
    this.#history = history;
    this.#recorded = recorded;
    this.#completeSince = completeSince;
  }

  /**
   * The features of a set at a past moment. Rejects with `HistoryUnavailable` before its first record, and if it had
   * too many members to be recorded. Rejects with `EventLogUnavailable` if the log or the store does not answer, or if
   * the log lacks changes of the set.
   */
  read(store: string, key: string, at: Instant): Promise<readonly FeatureKey[]> {
    return queryLog(async () => {
      await this.#catchUp(store, key);
      const past = await this.#history.setAt(store, key, at);
      return past?.features ?? (await this.#unrecorded(store, key, at));
    });
  }

  /**
   * The keys of recorded sets with the prefix of a template, at most `most`, including those first recorded later.
   * `complete`: there were no others at that moment. Rejects with `EventLogUnavailable`.
   */
  keys(
    store: string,
    prefix: string,
    most: number,
    at: Instant,
  ): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }> {
    return queryLog(async () => {
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

  /**
   * A change is acknowledged before it is in the log, so the log may lack the last ones. The store's revision of the
   * set shows it; the backlog that a process last read may be outdated.
   */
  async #catchUp(store: string, key: string): Promise<void> {
    const [present] = await this.#recorded.revisions(store, [key]);
    if (!present || (await this.#hasReached(store, key, present))) return;
    await withDeadline(longestDrainMs, () => this.#recorded.drain(store));
    if (!(await this.#hasReached(store, key, present))) throw new Error(`the log lacks changes of ${key}`);
  }

  async #hasReached(store: string, key: string, { epoch, number }: Revision): Promise<boolean> {
    const [last] = await this.#history.revisions(store, key, 1);
    return last?.key === key && last.revision.epoch === epoch && last.revision.number >= number;
  }

  async #unrecorded(store: string, key: string, at: Instant): Promise<readonly FeatureKey[]> {
    const [first, complete] = await Promise.all([
      this.#history.firstRecord(store, key),
      this.#completeSince(store, key),
    ]);
    if (first !== undefined && first <= at) throw new HistoryUnavailable([{ name: key }]);
    if (complete !== undefined && complete <= at) return [];
    const from = Math.min(first ?? Number.POSITIVE_INFINITY, complete ?? Number.POSITIVE_INFINITY);
    throw new HistoryUnavailable([Number.isFinite(from) ? { name: key, from } : { name: key }]);
  }
}
