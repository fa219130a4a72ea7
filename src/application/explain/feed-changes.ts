import { changedKey } from "../../domain/admin/change.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import { type ChangeEntry, changeEntryOf } from "../events/change-entry.ts";
import { queryLog } from "../events/query-log.ts";
import { feedsCollection, itemOf, itemsRecordIn } from "../feeds/items-record.ts";
import type { SetRead } from "./evaluate-each-source.ts";

/** A record of a feed, with the features that it switched on (`added`) and off (`removed`). */
type FeedChange = {
  readonly event: Event;
  readonly change: SetRead &
    ChangeEntry & { readonly added: readonly FeatureKey[]; readonly removed: readonly FeatureKey[] };
};

/**
 * The records of a feed that switched some of these features, `from < at <= to`, oldest first. The start or end of an
 * item needs no record. Empty for a source that is no feed. Rejects with `HistoryUnavailable` if the items at the start
 * are not known, and with `EventLogUnavailable`.
 *
 * `connectionOf` returns the connection that stores the items of a feed, `itemsOf` the items at a time.
 */
export const feedChanges =
  (
    history: Pick<History, "documentChangesOf">,
    connectionOf: (source: string) => string | undefined,
    itemsOf: (connection: string, feed: string, at: Instant) => Promise<CachedRead<readonly KnownItem[]>>,
  ) =>
  async (
    source: string,
    from: Instant,
    to: Instant,
    features: readonly FeatureKey[],
  ): Promise<readonly FeedChange[]> => {
    const store = connectionOf(source);
    if (store === undefined || features.length === 0) return [];
    const wanted = new Set(features);
    const items = new Map((await itemsOf(store, source, from)).value.map((item) => [item.id, item]));
    const events = await queryLog(() => history.documentChangesOf(store, feedsCollection, [source], from, to));
    return events.flatMap((event) => {
      const record = event.change?.record;
      if (record?.of !== "document") return [];
      const changed = itemsRecordIn(record.value).items.map(itemOf);
      const concerned = [...changed, ...changed.flatMap(({ id }) => items.get(id) ?? [])];
      const touched = wanted.intersection(new Set(concerned.flatMap((item) => item.features)));
      const before = onAmong(touched, items, record.at);
      for (const item of changed) items.set(item.id, item);
      const after = onAmong(touched, items, record.at);
      const [added, removed] = [[...after.difference(before)], [...before.difference(after)]];
      if (added.length + removed.length === 0) return [];
      return [{ event, change: { store, key: changedKey(record), ...changeEntryOf(record), added, removed } }];
    });
  };

export type FeedChanges = ReturnType<typeof feedChanges>;

/** The features that items switch on at a time, of some. */
function onAmong(some: ReadonlySet<FeatureKey>, items: ReadonlyMap<string, KnownItem>, at: Instant): Set<FeatureKey> {
  const on = new Set<FeatureKey>();
  if (some.size === 0) return on;
  for (const { features, isOffered, onFrom, onUntil } of items.values()) {
    if (!isOffered || at < onFrom || at >= onUntil) continue;
    for (const feature of features) if (some.has(feature)) on.add(feature);
  }
  return on;
}
