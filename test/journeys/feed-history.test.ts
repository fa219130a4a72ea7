import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FeedServer, json, startFeedServer } from "../support/feed-server.ts";
import { adminToken } from "../support/operator.ts";
import { startRedis } from "../support/redis.ts";
import { bearer, startService, type TestService } from "../support/service.ts";
import { until } from "../support/until.ts";

const show = (id: number, changes: object = {}) => ({
  id,
  name: `Show ${id}`,
  from: "2020-01-01",
  to: "2999-01-01",
  status: "online",
  ...changes,
});
const feed = (name: string, url: string) => `
  - name: ${name}
    kind: feed
    connection: features
    pollSeconds: 3600
    document: { url: "${url}", allow: [127.0.0.1] }
    item:
      { at: shows, id: "{id}", title: name, window: { start: from, end: to }, features: ["show:{id}"], conditions: { status: online } }`;

describe.each([
  ["Redis", startRedis],
  ["SQLite", async () => undefined],
])("the past of a feed over %s", (_, openRedis) => {
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  let feedServer: FeedServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await openRedis();
    feedServer = await startFeedServer(json({ shows: [show(1), show(2, { status: "offline" })] }));
    const connection = redis
      ? `{ kind: redis, url: "${redis.url}" }`
      : `{ kind: sqlite, file: "\${TIDEGATE_DATA}/tidegate.db" }`;
    service = await startService(
      `
connections: { features: ${connection} }
sources:
  - { name: always, kind: static, features: { base: true } }
${feed("shows", feedServer.url)}
`,
      { TIDEGATE_ADMIN_TOKEN: adminToken },
    );
    await until(async () => (await (await service.get("/features")).text()).includes("show:1"), "the feed is read");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await feedServer[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  const operator = bearer(adminToken);
  const post = (path: string, body?: object) =>
    fetch(`${service.url}/admin/v1/${path}`, {
      method: "POST",
      headers: { ...operator, ...(body && { "content-type": "application/json" }) },
      body: body ? JSON.stringify(body) : null,
    });
  const query = (at: number) => encodeURIComponent(new Date(at).toISOString());
  const answerAt = (at: number) => service.get(`/features?at=${query(at)}`, operator);
  /** The features that were on; the status if the response is incomplete, as when the store is slow. */
  const featuresAt = async (at: number) => {
    const response = await answerAt(at);
    const { active_features } = (await response.json()) as { active_features: string[] };
    return response.ok && !response.headers.has("cache-status") ? active_features.join() : `${response.status}`;
  };
  /** Polls a document; returns an instant at which the event log has it. */
  const poll = async (shows: readonly object[], expected: string) => {
    feedServer.answer = json({ shows });
    const response = await post("sources/shows/poll");
    expect(await response.json()).toMatchObject({ state: { failure: null } });
    return recorded(expected);
  };
  const recorded = async (expected: string) => {
    let at = 0;
    await until(async () => {
      at = Date.now() - 1;
      return (await featuresAt(at)) === expected;
    }, `${expected} is on record`);
    return at;
  };

  it("has the items of each instant, with one event for each poll that changed something", async () => {
    const instants = new Map<number, string>();
    const notified = async (expected: string, shows?: readonly object[]) =>
      instants.set(await (shows ? poll(shows, expected) : recorded(expected)), expected);
    await notified("base,show:1");
    await notified("base,show:1,show:2,show:3", [show(1), show(2), show(3)]);
    await notified("base,show:1,show:2,show:3", [show(1), show(2), show(3)]);
    await notified("base,show:2,show:3", [show(1, { status: "offline" }), show(2), show(3, { name: "Other" })]);
    await notified("base,show:3", [show(2, { from: "2998-01-01" })]);
    for (const [at, expected] of instants) {
      await until(async () => (await featuresAt(at)) === expected, `${expected} was on at ${at}`);
    }
    const response = await service.get("/events?component=tidegate", operator);
    const { events } = (await response.json()) as { events: { id: string; message: string; features: string[] }[] };
    const ofFeed = events.filter(({ message }) => message.startsWith("shows:"));
    const messages = ofFeed.map(({ message }) => message);
    // The first poll starts the record. A title and an unlisting change no feature.
    expect(messages.toReversed()).toEqual([
      "shows: 0 items of the feed",
      "shows: 2 items of the feed",
      "shows: 2 items of the feed",
      "shows: 1 items of the feed",
      "shows: 1 items of the feed",
    ]);
    expect(ofFeed[0]?.features).toEqual(["show:2"]);
    const reverted = await post(`events/${ofFeed[0]?.id}/revert`);
    expect(await reverted.json()).toMatchObject({ code: "not-revertible", detail: expect.stringContaining("feeds") });
  });

  it("explains with the items of that time", async () => {
    const before = await recorded("base,show:3");
    const after = await poll([show(4)], "base,show:3,show:4");
    const explain = async (at: number) => {
      const response = await post("explain", { at: new Date(at).toISOString(), features: ["show:4"] });
      const { incomplete, features } = (await response.json()) as { incomplete: string[]; features: { on: boolean }[] };
      return JSON.stringify([incomplete, features?.map(({ on }) => on)]);
    };
    await until(async () => (await explain(before)) === "[[],[false]]", "it was off before");
    await until(async () => (await explain(after)) === "[[],[true]]", "it was on after");
  });

  it("is unknown before its first record: other sources are evaluated, and the response is marked as incomplete", async () => {
    const at = Date.parse("2026-01-01T00:00:00Z");
    const response = await answerAt(at);
    expect([response.status, response.headers.get("cache-status")]).toEqual([
      200,
      'tidegate; fwd=miss; detail="incomplete: shows"',
    ]);
    expect(await response.json()).toEqual({ active_features: ["base"] });
    const explained = await post("explain", { at: new Date(at).toISOString(), features: ["base", "show:1"] });
    expect(await explained.json()).toMatchObject({
      incomplete: ["shows"],
      features: [
        { feature: "base", on: true },
        { feature: "show:1", on: null },
      ],
    });
    const diff = await service.get(`/admin/v1/diff?from=${query(at)}&to=${query(Date.now())}`, operator);
    expect(await diff.json()).toMatchObject({
      incomplete: ["shows"],
      missingHistory: [{ source: "shows", from: expect.any(String) }],
    });
  });

  it("names the record of the feed with which a feature came on, in comparisons of two times", async () => {
    const others = [show(3), show(4)];
    const at = await poll([...others, show(7, { status: "offline" })], "base,show:3,show:4");
    await poll([...others, show(7)], "base,show:3,show:4,show:7");
    const compared = await post("compare", { a: { at: new Date(at).toISOString() }, b: {} });
    const { features } = (await compared.json()) as {
      features: { feature: string; kind: string; deciding: string; events: object[] }[];
    };
    const deciding = features[0]?.deciding;
    expect(features).toMatchObject([
      { feature: "show:7", kind: "turned-on", events: [{ event: deciding, source: "shows", by: "external" }] },
    ]);
    const event = await service.get(`/events/${deciding}`, operator);
    expect(await event.json()).toMatchObject({ key: "feeds/shows", features: ["show:7"] });
    const diff = await service.get(`/admin/v1/diff?from=${query(at)}&to=${query(Date.now())}`, operator);
    expect(await diff.json()).toMatchObject({
      turnedOn: ["show:7"],
      events: [{ event: deciding, connection: "features", key: "feeds/shows", added: ["show:7"], removed: [] }],
    });
  });
});
