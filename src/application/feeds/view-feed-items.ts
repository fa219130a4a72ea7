import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import type { KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { TimelinePlace } from "../../domain/feeds/timeline.ts";
import { placeOf } from "../../domain/feeds/timeline.ts";
import { callStore } from "../admin/call-store.ts";
import type { NamedFeed } from "./search-items.ts";

/** So much longer than fetching may take, an operator waits for a poll. */
const graceMs = 1_000;

/** How a provider does: how its document is read, and how many items are known. `poll` is left out before anybody has tried. */
export type FeedState = { readonly known: number; readonly poll?: PollState };

/** What operators see of partners' items, and how they are read. */
export class ViewFeedItems {
  readonly #providers: readonly NamedFeed[];
  readonly #sources: readonly string[];

  /** `sources` are the names of all that there are. */
  constructor(providers: readonly NamedFeed[], sources: readonly string[]) {
    this.#providers = providers;
    this.#sources = sources;
  }

  /** How each provider does, as far as is known here. */
  get states(): ReadonlyMap<string, FeedState> {
    return new Map(this.#providers.map((provider) => [provider.name, stateOf(provider)]));
  }

  /** How a provider does, and a page of its items in the order in which they begin. Rejects with `UnknownSource`, `ChangeRefused` for a source without items, and `SourceUnavailable`. */
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
   * Reads the provider's document now, and tells how that went; `isRead` is false where it still goes on a second after the time-outs of
   * all tries. Rejects as `page` does.
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
    throw new ChangeRejected(
      `The source "${name}" reads no partner's items; name one of kind provider.`,
      "not-changeable",
    );
  }
}

const stateOf = ({ items: { size, state } }: NamedFeed): FeedState => ({
  known: size,
  ...(state && { poll: state }),
});
