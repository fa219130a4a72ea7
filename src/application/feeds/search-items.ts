import { UnknownItem } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeedItems } from "../../domain/feeds/feed-items.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import { comparePositions, positionOf, type Timeline, type TimelinePosition } from "../../domain/feeds/timeline.ts";
import { callStore } from "../admin/call-store.ts";

/** A source with items. */
export type NamedFeed = { readonly name: string; readonly items: FeedItems };

/** A bound of a search: an instant, or a date in the item's own local time. */
export type SearchBound = { readonly at: Instant } | { readonly date: string };

/** A search. An omitted side has no bound. */
export type Search = {
  readonly from?: SearchBound | undefined;
  readonly to?: SearchBound | undefined;
  /** The end of the page before. */
  readonly after?: TimelinePosition | undefined;
  readonly limit: number;
};

/** A page of results. */
export type FoundItems = {
  readonly items: readonly KnownItem[];
  /** The end of the page; omitted on the last one. */
  readonly next?: TimelinePosition;
};

/** A date without a zone may start earlier, or end later, than the same date in UTC by this much. */
const maxZoneOffsetMs = 15 * 60 * 60 * 1_000;
const dayMs = 24 * 60 * 60 * 1_000;

/** Searches all items of all feeds that were ever offered. */
export class SearchItems {
  readonly #feeds: readonly NamedFeed[];

  constructor(feeds: readonly NamedFeed[]) {
    this.#feeds = feeds;
  }

  /** Increases with each change of the searchable items. */
  get generation(): number {
    return this.#feeds.reduce((sum, { items }) => sum + items.generation, 0);
  }

  /** The item with a UUID, of any feed. Rejects with `UnknownItem` if none was ever offered, and as `search` does. */
  async one(uuid: string): Promise<KnownItem> {
    for (const feed of this.#feeds) {
      const timeline = await timelineOf(feed);
      const item = timeline.find(uuid);
      if (item?.wasOffered) return item;
    }
    throw new UnknownItem();
  }

  /**
   * The items within the bounds, sorted by start: `limit` items, and those at the same position as the last. Runs in
   * memory after the first read of the store. Rejects with `SourceUnavailable` if that read fails.
   */
  async search({ from, to, after, limit }: Search): Promise<FoundItems> {
    const found: KnownItem[] = [];
    for (const feed of this.#feeds) {
      const timeline = await timelineOf(feed);
      let count = 0;
      let edge: TimelinePosition | undefined;
      for (const item of timeline.within(earliest(from), latest(to), after)) {
        if (!item.wasOffered || !isWithin(item, from, to)) continue;
        found.push(item);
        count += 1;
        if (count === limit) edge = positionOf(item);
        // One item behind the page shows that there is a next page.
        else if (edge && comparePositions(positionOf(item), edge) !== 0) break;
      }
    }
    if (this.#feeds.length > 1) found.sort((one, other) => comparePositions(positionOf(one), positionOf(other)));
    return pageOf(found, limit);
  }
}

const timelineOf = ({ name, items }: NamedFeed): Promise<Timeline> => callStore(name, async () => items.known());

function pageOf(found: readonly KnownItem[], limit: number): FoundItems {
  const last = found[limit - 1];
  if (!last) return { items: found };
  const next = positionOf(last);
  let end = limit;
  for (let more = found[end]; more && comparePositions(positionOf(more), next) === 0; more = found[end]) end += 1;
  return end < found.length ? { items: found.slice(0, end), next } : { items: found };
}

const earliest = (from: SearchBound | undefined): Instant => {
  if (!from) return Number.NEGATIVE_INFINITY;
  return "at" in from ? from.at : Date.parse(from.date) - maxZoneOffsetMs;
};

const latest = (to: SearchBound | undefined): Instant => {
  if (!to) return Number.POSITIVE_INFINITY;
  return "at" in to ? to.at : Date.parse(to.date) + dayMs + maxZoneOffsetMs;
};

/** Whether an item is within bounds that are dates. Dates of one format sort as text. */
const isWithin = ({ start, end }: KnownItem, from: SearchBound | undefined, to: SearchBound | undefined): boolean =>
  (!from || !("date" in from) || start.date >= from.date) && (!to || !("date" in to) || end.date <= to.date);
