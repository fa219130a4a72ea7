import { externalActor, type Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { RevisionMismatch } from "../../domain/errors.ts";
import { type Instant, instantText } from "../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../domain/evaluation/feature.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import type { Timeline } from "../../domain/feeds/timeline.ts";
import { coverageCollection } from "../events/change-event.ts";
import { feedsCollection, type ItemsRecord, itemsRecordIn, recordedItem } from "./items-record.ts";

/** Maximum number of items in one record. */
export const maxInRecord = 500;
/** A new base is written after a day, or once reading the changes would take longer than reading all items. */
const maxBaseAgeMs = 24 * 60 * 60 * 1_000;
const minChanges = 1_000;
const maxAttempts = 3;

type Last = { readonly record: ItemsRecord; readonly revision: Revision };

/**
 * Records items of a feed that are about to change, at most `maxInRecord`, in the store's outbox, so that the past can
 * be evaluated ({@link ../explain/historical-store.ts}); first a base of all items of the timeline, if it is due.
 * Leaves out changes that affect no feature. Without items, it only writes a base if due. Rejects if the store does
 * not respond, and with `RevisionMismatch` if other processes kept writing meanwhile.
 */
export function recordItems(feed: string, documents: DocumentStore, newId: () => string, now: () => Instant) {
  async function read(): Promise<Last | undefined> {
    const document = await documents.get(feedsCollection, feed);
    return document && { record: itemsRecordIn(document.value), revision: document.revision };
  }

  function isBaseDue(
    { isWhole, since, count, epoch: recorded }: ItemsRecord,
    changes: number,
    { size }: Timeline,
    epoch: string | undefined,
  ): boolean {
    if (!isWhole || (recorded !== null && recorded !== epoch)) return true;
    const isOld = now() - Date.parse(since) > maxBaseAgeMs;
    return changes > 0 && (isOld || count > minChanges + 2 * size);
  }

  async function writeBase(timeline: Timeline, epoch: string | null, ifRevision: Revision | null): Promise<Last> {
    const all = timeline.all().filter(hasFeatures).map(recordedItem);
    const base = newId();
    const since = instantText(now());
    let [from, revision] = [0, ifRevision];
    while (true) {
      const items = all.slice(from, from + maxInRecord);
      const id = from === 0 ? base : newId();
      from += maxInRecord;
      const count = Math.min(from, all.length);
      const record = { base, since, isWhole: from >= all.length, epoch, count, items };
      revision = await put(record, revision, id);
      if (!record.isWhole) continue;
      await markComplete();
      return { record, revision };
    }
  }

  /** Marks the history as complete from the first base on. */
  async function markComplete(): Promise<void> {
    const name = `${feedsCollection}/${feed}`;
    if (await documents.get(coverageCollection, name)) return;
    const change = { id: newId(), by: externalActor };
    await documents.put({ ...change, collection: coverageCollection, name, value: true });
  }

  async function put(record: ItemsRecord, ifRevision: Revision | null, id = newId()): Promise<Revision> {
    const value = record as unknown as Json;
    const change = { id, by: externalActor, ifRevision, collection: feedsCollection, name: feed, value };
    return (await documents.put(change)).revision;
  }

  return async (items: readonly KnownItem[], timeline: Timeline, epoch: string | undefined): Promise<void> => {
    const changed = items.filter((item) => changesFeatures(item, timeline.get(item.id))).map(recordedItem);
    for (let attempt = 1; ; attempt++) {
      try {
        const found = await read();
        const last =
          found && !isBaseDue(found.record, changed.length, timeline, epoch)
            ? found
            : await writeBase(timeline, epoch ?? null, found?.revision ?? null);
        if (changed.length === 0) return;
        const count = last.record.count + changed.length;
        await put({ ...last.record, items: changed, count }, last.revision);
        return;
      } catch (error) {
        if (!(error instanceof RevisionMismatch) || attempt === maxAttempts) throw error;
      }
    }
  };
}

export type RecordItems = ReturnType<typeof recordItems>;

const changesFeatures = (item: KnownItem, previous: KnownItem | undefined): boolean =>
  previous ? textOf(item) !== textOf(previous) : hasFeatures(item);

const textOf = (item: KnownItem): string => JSON.stringify(recordedItem(item));

const hasFeatures = ({ features }: KnownItem): boolean => features.length > 0;
