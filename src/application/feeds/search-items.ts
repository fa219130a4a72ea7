import { UnknownItem } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeedItems } from "../../domain/feeds/feed-items.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import { comparePlaces, placeOf, type TimelinePlace } from "../../domain/feeds/timeline.ts";
import { callStore } from "../admin/call-store.ts";

/** A source that has items. */
export type NamedFeed = { readonly name: string; readonly items: FeedItems };

/** From or until when somebody searches: a moment, or a date, which is that of the item's own clocks. */
export type SearchBound = { readonly at: Instant } | { readonly date: string };

/** What somebody searches for; left out, a side has no bound. */
export type Search = {
  readonly from?: SearchBound | undefined;
  readonly to?: SearchBound | undefined;
  /** Where the page before ended. */
  readonly after?: TimelinePlace | undefined;
  readonly limit: number;
};

/** A page of what was found. */
export type FoundItems = {
  readonly items: readonly KnownItem[];
  /** Where it ended; left out on the last. */
  readonly next?: TimelinePlace;
};

/** A day of no zone is up to so much longer than one of UTC, on each side. */
const farthestZoneMs = 15 * 60 * 60 * 1_000;
const dayMs = 24 * 60 * 60 * 1_000;

/** Finds items of all providers that were ever offered. */
export class SearchItems {
  readonly #providers: readonly NamedFeed[];

  constructor(providers: readonly NamedFeed[]) {
    this.#providers = providers;
  }

  /** Grows with each change of what could be found. */
  get generation(): number {
    return this.#providers.reduce((sum, { items }) => sum + items.generation, 0);
  }

  /** The item of a UUID, of whichever provider. Rejects with `UnknownItem` where none was ever offered, and as `execute` does. */
  async one(uuid: string): Promise<KnownItem> {
    for (const { name, items } of this.#providers) {
      const known = items.known();
      const timeline = known instanceof Promise ? await callStore(name, () => known) : known;
      const item = timeline.find(uuid);
      if (item?.wasOffered) return item;
    }
    throw new UnknownItem();
  }

  /**
   * The items that begin and end within the bounds, in the order in which they begin: `limit` of them, and those that are not to be told
   * apart from the last by their place. Asks nobody else once it was read what the store has. Rejects with `SourceUnavailable` where it was not.
   */
  async search({ from, to, after, limit }: Search): Promise<FoundItems> {
    const found: KnownItem[] = [];
    for (const { name, items } of this.#providers) {
      const known = items.known();
      const timeline = known instanceof Promise ? await callStore(name, () => known) : known;
      let count = 0;
      let edge: TimelinePlace | undefined;
      for (const item of timeline.within(earliest(from), latest(to), after)) {
        if (!item.wasOffered || !isWithin(item, from, to)) continue;
        found.push(item);
        count += 1;
        if (count === limit) edge = placeOf(item);
        // One behind the page tells that there is another.
        else if (edge && comparePlaces(placeOf(item), edge) !== 0) break;
      }
    }
    if (this.#providers.length > 1) found.sort((one, other) => comparePlaces(placeOf(one), placeOf(other)));
    return pageOf(found, limit);
  }
}

function pageOf(found: readonly KnownItem[], limit: number): FoundItems {
  const last = found[limit - 1];
  if (!last) return { items: found };
  const next = placeOf(last);
  let end = limit;
  for (let more = found[end]; more && comparePlaces(placeOf(more), next) === 0; more = found[end]) end += 1;
  return end < found.length ? { items: found.slice(0, end), next } : { items: found };
}

const earliest = (from: SearchBound | undefined): Instant => {
  if (!from) return Number.NEGATIVE_INFINITY;
  return "at" in from ? from.at : Date.parse(from.date) - farthestZoneMs;
};

const latest = (to: SearchBound | undefined): Instant => {
  if (!to) return Number.POSITIVE_INFINITY;
  return "at" in to ? to.at : Date.parse(to.date) + dayMs + farthestZoneMs;
};

/** Whether an item is within bounds that are dates; dates of one form are in the order of their texts. */
const isWithin = ({ start, end }: KnownItem, from: SearchBound | undefined, to: SearchBound | undefined): boolean =>
  (!from || !("date" in from) || start.date >= from.date) && (!to || !("date" in to) || end.date <= to.date);
