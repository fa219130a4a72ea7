import { expect, it } from "vitest";
import { ViewItems } from "../../src/application/view-items.ts";
import type { PollState } from "../../src/domain/item.ts";
import type { ProvidedItems } from "../../src/domain/provided-items.ts";

it("answers a poll that goes on for too long with what was known before", async () => {
  const state = { listed: 7 } as PollState;
  const items = { size: 3, state, longestFetchMs: 10, poll: () => new Promise(() => {}) } as unknown as ProvidedItems;
  const begunAt = performance.now();
  expect(await new ViewItems([{ name: "shows", items }], ["shows"]).poll("shows")).toEqual({
    state: { known: 3, poll: state },
    isRead: false,
  });
  expect(performance.now() - begunAt).toBeGreaterThan(1_000);
});
