import type { DocumentRecord } from "../domain/change.ts";
import { NotKnown } from "../domain/errors.ts";
import { type Instant, lastInstant } from "../domain/evaluation-context.ts";
import type { FeatureKey } from "../domain/feature.ts";
import type { History } from "../domain/history.ts";
import { askLog } from "./ask-log.ts";
import { catchUpDocuments, type RecordedDocuments } from "./catch-up-documents.ts";
import { completeCollection } from "./event-of.ts";

/** What settings were at past moments, as the activity log tells it. */
export class RecallSettings {
  readonly #history: History;
  readonly #recorded: RecordedDocuments;

  constructor(history: History, recorded: RecordedDocuments) {
    this.#history = history;
    this.#recorded = recorded;
  }

  /**
   * The last record of each setting of a collection up to a past moment; the value of those that were removed is `null`. Rejects with
   * `NotKnown` before the log told of all of them, and with `LogUnavailable` when the log or the store does not answer.
   */
  execute(store: string, collection: string, at: Instant): Promise<ReadonlyMap<FeatureKey, DocumentRecord>> {
    return askLog(async () => {
      await catchUpDocuments(this.#history, this.#recorded, store, collection);
      const complete = await this.#history.documentAt(store, completeCollection, collection, lastInstant);
      if (!complete) throw new NotKnown([{ name: collection }]);
      if (at < complete.at) throw new NotKnown([{ name: collection, from: complete.at }]);
      const records = await this.#history.documentsAt(store, collection, at);
      if (!records) throw new NotKnown([{ name: collection }]);
      return records;
    });
  }
}
