import { type DocumentRecord, isSameRevision, type Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import type { FeatureStore } from "../../domain/admin/feature-store.ts";
import type { SetIndex } from "../../domain/admin/set-index.ts";
import { HistoryUnavailable, StoreDataInvalid } from "../../domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import { type Instant, lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey } from "../../domain/evaluation/feature.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { Rules, RulesByFeature } from "../../domain/evaluation/rules.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import { Timeline } from "../../domain/feeds/timeline.ts";
import { withDeadline } from "../async/deadline.ts";
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
 * log or the store does not respond, or if the log lacks changes of a set. `store`: its name in the history.
 */
export function historicalStore(history: History, stored: RecordedStore, store: string, at: Instant) {
  const ruleReads = new Map<string, Promise<CachedRead<RulesByFeature>>>();

  /** A set is unknown before its first record, and if it had too many members to be recorded. */
  const sets: FeatureSets = {
    read: async (key, limit) => {
      const members = await membersOf(key);
      if (members.length > limit) throw new StoreDataInvalid(`the set ${key} had more than ${limit} members`);
      const features = members.filter(isServedKey);
      return uncachedRead({ features, invalidMembers: members.length - features.length }, at);
    },
  };

  /** Lists all recorded sets, including those first recorded later. Does not count: that would fold every set. */
  const index: SetIndex = {
    keys: (prefix, max) =>
      queryLog(async () => {
        const [keys, complete] = await Promise.all([history.keys(store, prefix), stored.completeSince(prefix)]);
        return {
          keys: keys.slice(0, max),
          complete: keys.length <= max && complete !== undefined && complete <= at,
        };
      }),
    holders: async (_prefix, features) => features.map(() => undefined),
    holding: async () => ({ keys: [] }),
    contents: async () => undefined,
  };

  /** Rules are not known before the log held all of their collection. */
  const rules: Rules = {
    read: (collection) =>
      once(ruleReads, collection, async () => {
        const records = [...(await documentsOf(collection)).values()].filter(({ value }) => value !== null);
        return uncachedRead(new Map(records.map(({ name, value }) => [name, value])), at);
      }),
  };

  /**
   * The items of a feed, sorted by start, with only the fields that decide which features are on. Not known before
   * their first record.
   */
  async function itemsOf(feed: string): Promise<CachedRead<readonly KnownItem[]>> {
    const timeline = new Timeline();
    timeline.put(await readItems(feed));
    return uncachedRead(timeline.all(), at);
  }

  function membersOf(key: string): Promise<readonly FeatureKey[]> {
    return queryLog(async () => {
      const [present] = await stored.changes.revisions([key]);
      if (present && !(await hasReached(key, present))) {
        await relay();
        if (!(await hasReached(key, present))) throw new Error(`the log lacks changes of ${key}`);
      }
      const past = await history.setAt(store, key, at);
      return past?.features ?? (await unrecorded(key));
    });
  }

  async function hasReached(key: string, { epoch, number }: Revision): Promise<boolean> {
    const [last] = await history.revisions(store, key, 1);
    return last?.key === key && last.revision.epoch === epoch && last.revision.number >= number;
  }

  async function unrecorded(key: string): Promise<readonly FeatureKey[]> {
    const [first = Number.POSITIVE_INFINITY, complete = Number.POSITIVE_INFINITY] = await Promise.all([
      history.firstRecord(store, key),
      stored.completeSince(key),
    ]);
    if (first <= at) throw unknown(key);
    if (complete <= at) return [];
    throw unknown(key, Math.min(first, complete));
  }

  /** The last record of each document up to the instant; the value of a removed one is `null`. */
  function documentsOf(collection: string): Promise<ReadonlyMap<string, DocumentRecord>> {
    return queryLog(async () => {
      await catchUp(collection);
      const complete = await history.documentAt(store, coverageCollection, collection, lastInstant);
      if (!complete || at < complete.at) throw unknown(collection, complete?.at);
      const records = await history.documentsAt(store, collection, at);
      if (!records) throw unknown(collection);
      return records;
    });
  }

  function readItems(feed: string): Promise<readonly KnownItem[]> {
    return queryLog(async () => {
      await catchUp(feedsCollection);
      const items = await itemsAt(feed, at);
      if (items) return items;
      const name = `${feedsCollection}/${feed}`;
      const complete = await history.documentAt(store, coverageCollection, name, lastInstant);
      throw unknown(feed, complete && complete.at > at ? complete.at : undefined);
    });
  }

  /** `undefined` before the first record, and if retention removed a base that later records need. */
  async function itemsAt(feed: string, at: Instant): Promise<readonly KnownItem[] | undefined> {
    const last = await history.documentAt(store, feedsCollection, feed, at);
    if (!last) return undefined;
    const { base, since, isWhole } = itemsRecordIn(last.value);
    const from = Date.parse(since) - clocksDifferMs;
    const events = await history.documentChangesOf(store, feedsCollection, [feed], from, at);
    const records = events.flatMap(({ change }) => (change?.record.of === "document" ? [change.record] : []));
    const first = records.find(({ id }) => id === base);
    if (!first) return undefined;
    // A base that was not whole yet adds no information.
    if (!isWhole) return itemsAt(feed, first.at - 1);
    const series = records.map(({ value }) => itemsRecordIn(value)).filter((record) => record.base === base);
    const items = new Map(series.flatMap((record) => record.items.map((item) => [item.id, item] as const)));
    return [...items.values()].map(itemOf);
  }

  /** Documents that differ from the log even after the relay were changed outside Tidegate. */
  async function catchUp(collection: string): Promise<void> {
    const [present, recorded] = await Promise.all([
      stored.documents.revisions(collection),
      history.documentsAt(store, collection, lastInstant),
    ]);
    if ([...present].every(([name, revision]) => isSameRevision(revision, recorded?.get(name)?.revision))) return;
    await relay();
  }

  async function relay(): Promise<void> {
    await withDeadline(maxRelayMs, () => stored.relay());
  }

  return { sets, index, rules, itemsOf };
}

function once<T>(reads: Map<string, Promise<T>>, name: string, read: () => Promise<T>): Promise<T> {
  const found = reads.get(name) ?? read();
  reads.set(name, found);
  return found;
}

const unknown = (name: string, from?: Instant): HistoryUnavailable =>
  new HistoryUnavailable([from === undefined || from === Number.POSITIVE_INFINITY ? { name } : { name, from }]);
