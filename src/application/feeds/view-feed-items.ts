import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import type { KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { TimelinePlace } from "../../domain/feeds/timeline.ts";
import { placeOf } from "../../domain/feeds/timeline.ts";
import { callStore } from "../admin/call-store.ts";
import type { NamedFeed } from "./search-items.ts";

/** How much longer than the longest fetch an operator's poll waits. */
const graceMs = 1_000;

/** State of a feed: its polling, and the number of known items. `poll` is omitted before the first attempt. */
export type FeedState = { readonly known: number; readonly poll?: PollState };

/** Shows the items and the polling of feeds to operators. */
export class ViewFeedItems {
  readonly #providers: readonly NamedFeed[];
  readonly #sources: readonly string[];

  /** `sources`: the names of all sources. */
  constructor(providers: readonly NamedFeed[], sources: readonly string[]) {
    this.#providers = providers;
    this.#sources = sources;
  }

  /** The state of each feed, as known to this process. */
  get states(): ReadonlyMap<string, FeedState> {
    return new Map(this.#providers.map((provider) => [provider.name, stateOf(provider)]));
  }

  /**
   * The state of a feed, and a page of its items, sorted by start. Rejects with `UnknownSource`, with `ChangeRejected`
   * for a source without items, and with `SourceUnavailable`.
   */
  async page(
    name: string,
    limit: number,
    after?: TimelinePlace,
  ): Promise<{ readonly state: FeedState; readonly items: readonly KnownItem[]; readonly next?: TimelinePlace }> {
    const provider = this.#find(name);
    const timeline = await callStore(name, async () => provider.items.known());
    const everything = timeline.within(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, after);
    const items = everything.take(limit + 1).toArray();
    const last = items[limit - 1];
    const isMore = items.length > limit;
    return {
      state: stateOf(provider),
      items: items.slice(0, limit),
      ...(isMore && last && { next: placeOf(last) }),
    };
  }

  /**
   * Polls the feed now and returns the result. `isRead` is false if the poll still runs a second after the longest
   * fetch. Rejects as `page` does.
   */
  async poll(name: string): Promise<{ readonly state: FeedState; readonly isRead: boolean }> {
    const provider = this.#find(name);
    const { promise: late, resolve: end } = Promise.withResolvers<undefined>();
    const timer = setTimeout(end, provider.items.longestFetchMs + graceMs, undefined);
    try {
      const poll = await callStore(name, () => Promise.race([provider.items.poll(), late]));
      return { state: poll ? { known: provider.items.size, poll } : stateOf(provider), isRead: poll !== undefined };
    } finally {
      clearTimeout(timer);
    }
  }

  #find(name: string): NamedFeed {
    const provider = this.#providers.find((each) => each.name === name);
    if (provider) return provider;
    if (!this.#sources.includes(name)) {
      throw new UnknownSource(`There is no such source; the sources are: ${this.#sources.join(", ")}.`);
    }
    throw new ChangeRejected(`Source "${name}" is not a feed. Name a source of kind feed.`, "not-changeable");
  }
}

const stateOf = ({ items: { size, state } }: NamedFeed): FeedState => ({
  known: size,
  ...(state && { poll: state }),
});
