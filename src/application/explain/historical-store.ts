import { type DocumentRecord, isSameRevision, type Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import type { FeatureStore } from "../../domain/admin/feature-store.ts";
import type { Rules, RulesByFeature } from "../../domain/admin/rules.ts";
import type { SetIndex } from "../../domain/admin/set-index.ts";
import { HistoryUnavailable, StoreDataInvalid } from "../../domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import { type Instant, lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey } from "../../domain/evaluation/feature.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import { Timeline } from "../../domain/feeds/timeline.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { coverageCollection } from "../events/change-event.ts";
import { queryLog } from "../events/query-log.ts";
import { feedsCollection, itemOf, itemsRecordIn } from "../feeds/items-record.ts";

/** The present store behind a history. It shows which records the log lacks. */
export type RecordedStore = {
  readonly changes: Pick<FeatureStore, "revisions">;
  readonly documents: Pick<DocumentStore, "revisions">;
  /** Relays the store's outbox to the log. */
  relay(): Promise<void>;
  /**
   * The start of the complete history of one set, by its key, or of all sets with the prefix of a template. From then
   * on, a set without a record is empty.
   */
  completeSince(keyOrPrefix: string): Promise<Instant | undefined>;
};

const maxRelayMs = 2_000;
/** Maximum difference between the clocks of a process and of a store. */
const clocksDifferMs = 60 * 60 * 1_000;

/**
 * Historical store: a store as of an instant, from the event log. Reads are verified for that instant.
 *
 * A change is acknowledged before it is in the log. So a read first relays the outbox if the log lacks records. Reads
 * reject with `HistoryUnavailable` if the content at that instant is not known, and with `EventLogUnavailable` if the
 * log or the store does not respond, or if the log lacks changes of a set.
 */
export class HistoricalStore {
  readonly #history: History;
  readonly #present: RecordedStore;
  readonly #name: string;
  readonly #at: Instant;
  readonly #rules = new Map<string, Promise<CachedRead<RulesByFeature>>>();

  /** `name`: the store's name in the history. */
  constructor(history: History, present: RecordedStore, name: string, at: Instant) {
    this.#history = history;
    this.#present = present;
    this.#name = name;
    this.#at = at;
  }

  /** A set is unknown before its first record, and if it had too many members to be recorded. */
  readonly sets: FeatureSets = {
    read: async (key, limit) => {
      const members = await this.#membersOf(key);
      if (members.length > limit) throw new StoreDataInvalid(`the set ${key} had more than ${limit} members`);
      const features = members.filter(isServedKey);
      return uncachedRead({ features, invalidMembers: members.length - features.length }, this.#at);
    },
  };

  /**
   * Lists all recorded sets, including those first recorded later. Counting would fold every set, so it is not done.
   */
  readonly index: SetIndex = {
    keys: (prefix, max) =>
      queryLog(async () => {
        const [keys, complete] = await Promise.all([
          this.#history.keys(this.#name, prefix),
          this.#present.completeSince(prefix),
        ]);
        return {
          keys: keys.slice(0, max),
          complete: keys.length <= max && complete !== undefined && complete <= this.#at,
        };
      }),
    holders: async (_prefix, features) => features.map(() => undefined),
    holding: async () => ({ keys: [] }),
    contents: async () => undefined,
  };

  /** Rules are not known before the log held all of their collection. */
  readonly rules: Rules = {
    read: (collection) =>
      once(this.#rules, collection, async () => {
        const records = [...(await this.#documentsOf(collection)).values()].filter(({ value }) => value !== null);
        return uncachedRead(new Map(records.map(({ name, value }) => [name, value])), this.#at);
      }),
  };

  /**
   * The items of a feed, sorted by start, with only the fields that decide which features are on. Not known before
   * their first record.
   */
  async itemsOf(feed: string): Promise<CachedRead<readonly KnownItem[]>> {
    const timeline = new Timeline();
    timeline.put(await this.#itemsOf(feed));
    return uncachedRead(timeline.all(), this.#at);
  }

  #membersOf(key: string): Promise<readonly FeatureKey[]> {
    return queryLog(async () => {
      const [present] = await this.#present.changes.revisions([key]);
      if (present && !(await this.#hasReached(key, present))) {
        await this.#relay();
        if (!(await this.#hasReached(key, present))) throw new Error(`the log lacks changes of ${key}`);
      }
      const past = await this.#history.setAt(this.#name, key, this.#at);
      return past?.features ?? (await this.#unrecorded(key));
    });
  }

  async #hasReached(key: string, { epoch, number }: Revision): Promise<boolean> {
    const [last] = await this.#history.revisions(this.#name, key, 1);
    return last?.key === key && last.revision.epoch === epoch && last.revision.number >= number;
  }

  async #unrecorded(key: string): Promise<readonly FeatureKey[]> {
    const [first = Number.POSITIVE_INFINITY, complete = Number.POSITIVE_INFINITY] = await Promise.all([
      this.#history.firstRecord(this.#name, key),
      this.#present.completeSince(key),
    ]);
    if (first <= this.#at) throw unknown(key);
    if (complete <= this.#at) return [];
    throw unknown(key, Math.min(first, complete));
  }

  /** The last record of each document up to the instant; the value of a removed one is `null`. */
  #documentsOf(collection: string): Promise<ReadonlyMap<string, DocumentRecord>> {
    return queryLog(async () => {
      await this.#catchUp(collection);
      const complete = await this.#history.documentAt(this.#name, coverageCollection, collection, lastInstant);
      if (!complete || this.#at < complete.at) throw unknown(collection, complete?.at);
      const records = await this.#history.documentsAt(this.#name, collection, this.#at);
      if (!records) throw unknown(collection);
      return records;
    });
  }

  #itemsOf(feed: string): Promise<readonly KnownItem[]> {
    return queryLog(async () => {
      await this.#catchUp(feedsCollection);
      const items = await this.#itemsAt(feed, this.#at);
      if (items) return items;
      const name = `${feedsCollection}/${feed}`;
      const complete = await this.#history.documentAt(this.#name, coverageCollection, name, lastInstant);
      throw unknown(feed, complete && complete.at > this.#at ? complete.at : undefined);
    });
  }

  /** `undefined` before the first record, and if retention removed a base that later records need. */
  async #itemsAt(feed: string, at: Instant): Promise<readonly KnownItem[] | undefined> {
    const last = await this.#history.documentAt(this.#name, feedsCollection, feed, at);
    if (!last) return undefined;
    const { base, since, isWhole } = itemsRecordIn(last.value);
    const from = Date.parse(since) - clocksDifferMs;
    const events = await this.#history.documentChangesOf(this.#name, feedsCollection, [feed], from, at);
    const records = events.flatMap(({ change }) => (change?.record.of === "document" ? [change.record] : []));
    const first = records.find(({ id }) => id === base);
    if (!first) return undefined;
    // A base that was not whole yet adds no information.
    if (!isWhole) return this.#itemsAt(feed, first.at - 1);
    const series = records.map(({ value }) => itemsRecordIn(value)).filter((record) => record.base === base);
    const items = new Map(series.flatMap((record) => record.items.map((item) => [item.id, item] as const)));
    return [...items.values()].map(itemOf);
  }

  /** Documents that differ from the log even after the relay were changed outside Tidegate. */
  async #catchUp(collection: string): Promise<void> {
    const [present, recorded] = await Promise.all([
      this.#present.documents.revisions(collection),
      this.#history.documentsAt(this.#name, collection, lastInstant),
    ]);
    if ([...present].every(([name, revision]) => isSameRevision(revision, recorded?.get(name)?.revision))) return;
    await this.#relay();
  }

  async #relay(): Promise<void> {
    await withDeadline(maxRelayMs, () => this.#present.relay());
  }
}

function once<T>(reads: Map<string, Promise<T>>, name: string, read: () => Promise<T>): Promise<T> {
  const found = reads.get(name) ?? read();
  reads.set(name, found);
  return found;
}

const unknown = (name: string, from?: Instant): HistoryUnavailable =>
  new HistoryUnavailable([from === undefined || from === Number.POSITIVE_INFINITY ? { name } : { name, from }]);
