import { afterEach, beforeEach, expect, it } from "vitest";
import { Reachable } from "../../../../src/adapters/sources/_polled/reachable.ts";
import { HttpFeed } from "../../../../src/adapters/sources/feed/http-feed.ts";
import { type FeedServer, startFeedServer } from "../../../support/feed-server.ts";

let feedServer: FeedServer;
beforeEach(async () => {
  feedServer = await startFeedServer((_, response) => void response.writeHead(400).end());
});
afterEach(() => feedServer[Symbol.asyncDispose]());

const feed = () =>
  new HttpFeed({
    url: new URL(feedServer.url),
    headers: {},
    reachable: new Reachable(["127.0.0.1"]),
    timeoutMs: 1_000,
    maxBytes: 1_000,
    format: "json",
    mapping: {
      feed: "tested",
      at: "shows",
      id: "{id}",
      window: { start: "from", end: "to", zone: "UTC" },
      features: [],
      conditions: {},
      prices: [],
      metadata: {},
    },
  });
const faultOf = (one: HttpFeed) =>
  one.read(null, new AbortController().signal).then(
    () => undefined,
    ({ message }) => message,
  );

it("pauses after five failures, and returns the end of the pause", async () => {
  const one = feed();
  expect([one.breaker, one.pausedUntil]).toEqual(["closed", null]);
  const begunAt = Date.now();
  for (let failure = 0; failure < 5; failure++) expect(await faultOf(one)).toContain("responds 400");
  expect(one.breaker).toBe("open");
  expect(one.pausedUntil).toBeGreaterThanOrEqual(begunAt + 30_000);
  expect(one.pausedUntil).toBeLessThanOrEqual(Date.now() + 30_000);
  expect(await faultOf(one)).toContain("polling is paused");
  expect(feedServer.requests).toHaveLength(5);
});

it("pauses as long as another process, then tries once", async () => {
  const one = feed();
  one.pause(Date.now() + 20_000);
  expect(await faultOf(one)).toContain("polling is paused");
  expect([one.breaker, feedServer.requests.length]).toEqual(["open", 0]);
  const other = feed();
  const until = Date.now() - 1;
  other.pause(until);
  expect(other.pausedUntil).toBe(until);
  expect(await faultOf(other)).toContain("responds 400");
  expect([other.breaker, await faultOf(other)]).toEqual(["open", expect.stringContaining("polling is paused")]);
  expect(feedServer.requests).toHaveLength(1);
});
