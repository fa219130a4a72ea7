import { describe, expect, it } from "vitest";
import type { InvalidationFeed } from "../../src/domain/evaluation/invalidation-feed.ts";
import { until } from "../support/until.ts";

/** A live feed, and a way to change a key of its store externally. */
export type ChangeFeedUnderTest = { readonly feed: InvalidationFeed; readonly change: (key: string) => Promise<void> };

/** The contract of InvalidationFeed. `open` returns a new feed each time. */
export function invalidationFeedContract(open: () => Promise<ChangeFeedUnderTest>): void {
  describe("InvalidationFeed", () => {
    it("is live, and returns the time up to which all invalidations have arrived", async () => {
      const { feed } = await open();
      const before = performance.now();
      await until(() => feed.syncedUntil(feed.epoch) > before, "syncedUntil advances");
      expect(feed.isLive(Date.now())).toBe(true);
      expect(feed.syncedUntil(feed.epoch)).toBeLessThanOrEqual(performance.now());
    });

    it("notifies of an external change, or ends the epoch", async () => {
      const { feed, change } = await open();
      const notified: (string | undefined)[] = [];
      feed.subscribe((key) => notified.push(key));
      const { epoch, generation } = feed;
      await change("contract:changed");
      await until(() => notified.includes("contract:changed") || feed.epoch > epoch, "the change is notified");
      expect(feed.generation).toBeGreaterThan(generation);
    });

    it("notifies immediately of a local change", async () => {
      const { feed, change } = await open();
      const notified: (string | undefined)[] = [];
      feed.subscribe((key) => notified.push(key));
      const { epoch, generation } = feed;
      await change("contract:own");
      feed.notify("contract:own");
      expect(notified.includes("contract:own") || feed.epoch > epoch).toBe(true);
      expect(feed.generation).toBeGreaterThan(generation);
    });

    it("is not live in an epoch that never started", async () => {
      const { feed } = await open();
      expect(feed.syncedUntil(feed.epoch + 1)).toBe(Number.NEGATIVE_INFINITY);
    });
  });
}
