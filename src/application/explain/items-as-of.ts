import { HistoryUnavailable } from "../../domain/errors.ts";
import { type Instant, lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import { coverageCollection } from "../events/change-event.ts";
import { queryLog } from "../events/query-log.ts";
import { feedsCollection, type ItemsRecord, itemOf, itemsRecordIn } from "../feeds/items-record.ts";
import { catchUpDocuments, type RecordedDocuments } from "./catch-up-documents.ts";

/** The most by which the clocks of a process and of a store may differ. */
const clocksDifferMs = 60 * 60 * 1_000;

/** The items of feeds at past moments, from the event log. */
export class RecallItems {
  readonly #history: History;
  readonly #recorded: RecordedDocuments;

  constructor(history: History, recorded: RecordedDocuments) {
    this.#history = history;
    this.#recorded = recorded;
  }

  /**
   * The items with features. Rejects with `HistoryUnavailable` before the first record, and if retention removed a base
   * that later records need. Rejects with `EventLogUnavailable` if the log or the store does not answer.
   */
  execute(store: string, feed: string, at: Instant): Promise<readonly KnownItem[]> {
    return queryLog(async () => {
      await catchUpDocuments(this.#history, this.#recorded, store, feedsCollection);
      return (await this.#itemsAt(store, feed, at)) ?? (await this.#unknown(store, feed, at));
    });
  }

  async #itemsAt(store: string, feed: string, at: Instant): Promise<readonly KnownItem[] | undefined> {
    const last = await this.#history.documentAt(store, feedsCollection, feed, at);
    if (!last) return undefined;
    const { base, since, isWhole } = itemsRecordIn(last.value);
    const from = Date.parse(since) - clocksDifferMs;
    const events = await this.#history.documentChangesOf(store, feedsCollection, [feed], from, at);
    const records = events.flatMap(({ change }) => (change?.record.of === "document" ? [change.record] : []));
    const first = records.find(({ id }) => id === base);
    if (!first) return undefined;
    // A base that was not whole yet adds no information.
    if (!isWhole) return this.#itemsAt(store, feed, first.at - 1);
    return fold(records.map(({ value }) => itemsRecordIn(value)).filter((record) => record.base === base));
  }

  async #unknown(store: string, feed: string, at: Instant): Promise<never> {
    const name = `${feedsCollection}/${feed}`;
    const complete = await this.#history.documentAt(store, coverageCollection, name, lastInstant);
    throw new HistoryUnavailable([complete && complete.at > at ? { name: feed, from: complete.at } : { name: feed }]);
  }
}

function fold(records: readonly ItemsRecord[]): readonly KnownItem[] {
  const items = new Map(records.flatMap((record) => record.items.map((item) => [item.id, item] as const)));
  return [...items.values()].map(itemOf);
}
