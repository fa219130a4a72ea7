import { afterEach, beforeEach, expect, it } from "vitest";
import { Reachable } from "../../../../src/adapters/sources/_polled/reachable.ts";
import { PartnerFeed } from "../../../../src/adapters/sources/feed/partner-feed.ts";
import { type Partner, startPartner } from "../../../support/partner.ts";

let partner: Partner;
beforeEach(async () => {
  partner = await startPartner((_, response) => void response.writeHead(400).end());
});
afterEach(() => partner[Symbol.asyncDispose]());

const feed = () =>
  new PartnerFeed({
    url: new URL(partner.url),
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
const faultOf = (one: PartnerFeed) =>
  one.read(null, new AbortController().signal).then(
    () => undefined,
    ({ message }) => message,
  );

it("pauses after five failures, and returns the end of the pause", async () => {
  const one = feed();
  expect([one.breaker, one.leftAloneUntil]).toEqual(["closed", null]);
  const begunAt = Date.now();
  for (let failure = 0; failure < 5; failure++) expect(await faultOf(one)).toContain("answers 400");
  expect(one.breaker).toBe("open");
  expect(one.leftAloneUntil).toBeGreaterThanOrEqual(begunAt + 30_000);
  expect(one.leftAloneUntil).toBeLessThanOrEqual(Date.now() + 30_000);
  expect(await faultOf(one)).toContain("left alone");
  expect(partner.requests).toHaveLength(5);
});

it("pauses as long as another process, then tries once", async () => {
  const one = feed();
  one.leaveAlone(Date.now() + 20_000);
  expect(await faultOf(one)).toContain("left alone");
  expect([one.breaker, partner.requests.length]).toEqual(["open", 0]);
  const other = feed();
  const until = Date.now() - 1;
  other.leaveAlone(until);
  expect(other.leftAloneUntil).toBe(until);
  expect(await faultOf(other)).toContain("answers 400");
  expect([other.breaker, await faultOf(other)]).toEqual(["open", expect.stringContaining("left alone")]);
  expect(partner.requests).toHaveLength(1);
});
