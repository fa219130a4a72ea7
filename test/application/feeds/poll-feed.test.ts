import { expect, it } from "vitest";
import { PollFeed } from "../../../src/application/feeds/poll-feed.ts";
import { recordItems } from "../../../src/application/feeds/record-items.ts";
import type { Reading } from "../../../src/domain/feeds/remote-feed.ts";
import { openSqlite } from "../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { until } from "../../support/until.ts";

const nothing: Reading = {
  items: (async function* () {})(),
  invalidCount: 0,
  invalidIds: [],
  faults: [],
  validators: { of: "", etag: null, lastModified: null },
};

/** The pollers of two processes on one store and lease, and who has polled, in order. */
async function pollers(isReachable: Record<"one" | "two", boolean>) {
  const started = new AsyncDisposableStack();
  const { items, documents } = started.use(openSqlite("store", ":memory:"));
  const polls: string[] = [];
  let holder: string | undefined;
  for (const name of ["one", "two"] as const) {
    const poller = new PollFeed(
      {
        name: "shows",
        connection: "store",
        store: items,
        records: recordItems("shows", documents, crypto.randomUUID, Date.now),
        lease: {
          hold: async () => {
            holder ??= name;
            return holder === name;
          },
          release: async () => {
            if (holder === name) holder = undefined;
          },
        },
        now: Date.now,
        everyMs: 0,
        maxItems: 10,
        feed: {
          read: async () => {
            polls.push(name);
            if (!isReachable[name]) throw new Error("unreachable");
            return nothing;
          },
          maxFetchMs: 1,
          breaker: "closed",
          pausedUntil: null,
          pause: () => {},
        },
      },
      { failed: () => {}, recovered: () => {}, foundInvalid: () => {} },
    );
    poller.start();
    started.defer(() => poller.stop());
  }
  return { polls, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

it("passes the lease on after two failures in a row, and keeps it while polls succeed", async () => {
  await using both = await pollers({ one: false, two: true });
  await until(() => both.polls.length >= 6, "some polls");
  expect(both.polls.slice(0, 6)).toEqual(["one", "one", "two", "two", "two", "two"]);
});

it("takes turns while no process reaches the feed", async () => {
  await using both = await pollers({ one: false, two: false });
  await until(() => both.polls.length >= 5, "some polls");
  expect(both.polls.slice(0, 5)).toEqual(["one", "one", "two", "two", "one"]);
});
