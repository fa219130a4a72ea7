import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import type { KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { TimelinePosition } from "../../domain/feeds/timeline.ts";
import { positionOf } from "../../domain/feeds/timeline.ts";
import { callStore } from "../admin/call-store.ts";
import type { NamedFeed } from "./search-items.ts";

/** How much longer than the maximum duration of a fetch an operator's poll waits. */
const graceMs = 1_000;

/** State of a feed: its polling, and the number of known items. `poll` is omitted before the first attempt. */
export type FeedState = { readonly known: number; readonly poll?: PollState };

/** Shows the items and the polling of feeds to operators. */
export class ViewFeedItems {
  readonly #feeds: readonly NamedFeed[];
  readonly #sources: readonly string[];

  /** `sources`: the names of all sources. */
  constructor(feeds: readonly NamedFeed[], sources: readonly string[]) {
    this.#feeds = feeds;
    this.#sources = sources;
  }

  /** The state of each feed, as known to this process. */
  get states(): ReadonlyMap<string, FeedState> {
    return new Map(this.#feeds.map((feed) => [feed.name, stateOf(feed)]));
  }

  /**
   * The state of a feed, and a page of its items, sorted by start. Rejects with `UnknownSource`, with `ChangeRejected`
   * for a source without items, and with `SourceUnavailable`.
   */
  async page(
    name: string,
    limit: number,
    after?: TimelinePosition,
  ): Promise<{ readonly state: FeedState; readonly items: readonly KnownItem[]; readonly next?: TimelinePosition }> {
    const feed = this.#find(name);
    const timeline = await callStore(name, async () => feed.items.known());
    const everything = timeline.within(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, after);
    const items = everything.take(limit + 1).toArray();
    const last = items[limit - 1];
    const isMore = items.length > limit;
    return {
      state: stateOf(feed),
      items: items.slice(0, limit),
      ...(isMore && last && { next: positionOf(last) }),
    };
  }

  /**
   * Polls the feed now and returns the result. `isRead` is false if the poll still runs a second after the longest
   * fetch. Rejects as `page` does.
   */
  async poll(name: string): Promise<{ readonly state: FeedState; readonly isRead: boolean }> {
    const feed = this.#find(name);
    const { promise: late, resolve: end } = Promise.withResolvers<undefined>();
    const timer = setTimeout(end, feed.items.maxFetchMs + graceMs, undefined);
    try {
      const poll = await callStore(name, () => Promise.race([feed.items.poll(), late]));
      return { state: poll ? { known: feed.items.size, poll } : stateOf(feed), isRead: poll !== undefined };
    } finally {
      clearTimeout(timer);
    }
  }

  #find(name: string): NamedFeed {
    const feed = this.#feeds.find((each) => each.name === name);
    if (feed) return feed;
    if (!this.#sources.includes(name)) {
      throw new UnknownSource(`Unknown source. The sources are: ${this.#sources.join(", ")}.`);
    }
    throw new ChangeRejected(`Source "${name}" is not a feed. Name a source of kind feed.`, "not-changeable");
  }
}

const stateOf = ({ items: { size, state } }: NamedFeed): FeedState => ({
  known: size,
  ...(state && { poll: state }),
});
