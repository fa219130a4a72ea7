import { type NamedFeed, SearchItems } from "../../application/feeds/search-items.ts";
import { ViewFeedItems } from "../../application/feeds/view-feed-items.ts";
import type { Evaluation } from "./evaluation.ts";
import { lazy, once } from "./lazy.ts";

export type Feeds = ReturnType<typeof feedsOf>;

/** Feeds: the search in their items, and their state. */
export function feedsOf(evaluation: Evaluation) {
  const feeds = once(() =>
    evaluation.sources.flatMap(({ name, feed }): NamedFeed[] => (feed ? [{ name, items: feed }] : [])),
  );
  return lazy({
    searchItems: () => new SearchItems(feeds()),
    viewFeedItems: () =>
      new ViewFeedItems(
        feeds(),
        evaluation.sources.map(({ name }) => name),
      ),
  });
}
