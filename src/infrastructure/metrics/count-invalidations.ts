import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";

/** Counts the invalidations of feeds from now on, by connection. */
export function countInvalidations(feeds: ReadonlyMap<string, InvalidationFeed>): ReadonlyMap<string, number> {
  const received = new Map<string, number>();
  for (const [connection, feed] of feeds) {
    feed.subscribe(() => received.set(connection, (received.get(connection) ?? 0) + 1));
  }
  return received;
}
