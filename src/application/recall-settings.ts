import { type DocumentRecord, isSameRevision, type Revision } from "../domain/change.ts";
import { NotKnown } from "../domain/errors.ts";
import { type Instant, lastInstant } from "../domain/evaluation-context.ts";
import type { FeatureKey } from "../domain/feature.ts";
import type { History } from "../domain/history.ts";
import { askLog } from "./ask-log.ts";
import { within } from "./deadline.ts";
import { completeCollection } from "./event-of.ts";

/** How far stores have come with their settings, also with removed ones, and a way to bring what they recorded into the log. */
export type RecordedSettings = {
  revisions(store: string, collection: string): Promise<ReadonlyMap<FeatureKey, Revision>>;
  drain(store: string): Promise<void>;
};

const longestDrainMs = 2_000;

/** What settings were at past moments, as the activity log tells it. */
export class RecallSettings {
  readonly #history: History;
  readonly #recorded: RecordedSettings;

  constructor(history: History, recorded: RecordedSettings) {
    this.#history = history;
    this.#recorded = recorded;
  }

  /**
   * The last record of each setting of a collection up to a past moment; the value of those that were removed is `null`. Rejects with
   * `NotKnown` before the log told of all of them, and with `LogUnavailable` when the log or the store does not answer.
   */
  execute(store: string, collection: string, at: Instant): Promise<ReadonlyMap<FeatureKey, DocumentRecord>> {
    return askLog(async () => {
      await this.#catchUp(store, collection);
      const complete = await this.#history.documentAt(store, completeCollection, collection, lastInstant);
      if (!complete) throw new NotKnown([{ name: collection }]);
      if (at < complete.at) throw new NotKnown([{ name: collection, from: complete.at }]);
      const records = await this.#history.documentsAt(store, collection, at);
      if (!records) throw new NotKnown([{ name: collection }]);
      return records;
    });
  }

  /**
   * A change is acknowledged before it is in the log. What is there tells whether something may be on its way; once nothing is, what
   * still differs was not recorded, because it was not done through Tidegate.
   */
  async #catchUp(store: string, collection: string): Promise<void> {
    const [present, told] = await Promise.all([
      this.#recorded.revisions(store, collection),
      this.#history.documentsAt(store, collection, lastInstant),
    ]);
    if ([...present].every(([name, revision]) => isSameRevision(revision, told?.get(name)?.revision))) return;
    await within(longestDrainMs, () => this.#recorded.drain(store));
  }
}
