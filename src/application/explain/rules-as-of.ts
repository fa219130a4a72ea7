import type { DocumentRecord } from "../../domain/admin/change.ts";
import { HistoryUnavailable } from "../../domain/errors.ts";
import { type Instant, lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { History } from "../../domain/events/history.ts";
import { coverageCollection } from "../events/change-event.ts";
import { queryLog } from "../events/query-log.ts";
import { catchUpDocuments, type RecordedDocuments } from "./catch-up-documents.ts";

/** Rules at past moments, from the event log. */
export class RulesAsOf {
  readonly #history: History;
  readonly #recorded: RecordedDocuments;

  constructor(history: History, recorded: RecordedDocuments) {
    this.#history = history;
    this.#recorded = recorded;
  }

  /**
   * The last record of each rule of a collection up to a moment; the value of a deleted one is `null`. Rejects with
   * `HistoryUnavailable` before the log held all rules, and with `EventLogUnavailable` if the log or the store does not
   * answer.
   */
  read(store: string, collection: string, at: Instant): Promise<ReadonlyMap<FeatureKey, DocumentRecord>> {
    return queryLog(async () => {
      await catchUpDocuments(this.#history, this.#recorded, store, collection);
      const complete = await this.#history.documentAt(store, coverageCollection, collection, lastInstant);
      if (!complete) throw new HistoryUnavailable([{ name: collection }]);
      if (at < complete.at) throw new HistoryUnavailable([{ name: collection, from: complete.at }]);
      const records = await this.#history.documentsAt(store, collection, at);
      if (!records) throw new HistoryUnavailable([{ name: collection }]);
      return records;
    });
  }
}
