import { expect, it, onTestFinished, vi } from "vitest";
import { ViewFeedItems } from "../../../src/application/feeds/view-feed-items.ts";
import type { FeedItems } from "../../../src/domain/feeds/feed-items.ts";
import type { PollState } from "../../../src/domain/feeds/item.ts";

it("returns the previous state if a poll takes too long", async () => {
  const state = { listed: 7 } as PollState;
  const items = { size: 3, state, maxFetchMs: 10, poll: () => new Promise(() => {}) } as unknown as FeedItems;
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const polled = new ViewFeedItems([{ name: "shows", items }], ["shows"]).poll("shows");
  await vi.advanceTimersByTimeAsync(1_009);
  expect(await Promise.race([polled, "not yet"])).toBe("not yet");
  await vi.advanceTimersByTimeAsync(1);
  expect(await polled).toEqual({ state: { known: 3, poll: state }, isRead: false });
});
