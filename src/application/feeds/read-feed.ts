import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { FeedItems } from "../../domain/feeds/feed-items.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import type { Timeline } from "../../domain/feeds/timeline.ts";

type ItemsRead = CachedRead<readonly KnownItem[]>;

/**
 * A reader of a feed's items, for its source. The last read items count as current, no matter how old they are. Returns
 * the same read until an item changes.
 */
export function feedReader(feed: Pick<FeedItems, "generation" | "known">): () => ItemsRead | Promise<ItemsRead> {
  let [last, lastGeneration]: [ItemsRead | undefined, number] = [undefined, -1];
  const readOf = (timeline: Timeline): ItemsRead => {
    const { generation } = feed;
    if (last && generation === lastGeneration) return last;
    last = {
      value: timeline.all(),
      lastError: undefined,
      validUntil: Number.POSITIVE_INFINITY,
      isCurrent: () => feed.generation === generation,
      verifiedAt: (now) => now,
    };
    lastGeneration = generation;
    return last;
  };
  return () => {
    const timeline = feed.known();
    return timeline instanceof Promise ? timeline.then(readOf) : readOf(timeline);
  };
}
