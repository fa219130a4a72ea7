import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FeedServer, json, startFeedServer } from "../../../support/feed-server.ts";
import { adminToken, operatorOf, startOperator } from "../../../support/operator.ts";
import { bearer } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

const listed = (...ids: number[]) =>
  json({ events: ids.map((id) => ({ id, name: `Event ${id}`, from: `2026-05-0${id}`, to: `2026-05-0${id}` })) });
const broken = json({
  events: [
    { id: 1, name: "Event 1", from: "2026-05-32", to: "2026-05-01" },
    { id: 2, name: "Event 2", from: "2026-05-02", to: "2026-05-02" },
  ],
});

describe("the items of a feed", () => {
  let feedServer: FeedServer;
  let operator: Awaited<ReturnType<typeof startOperator>>;
  beforeAll(async () => {
    feedServer = await startFeedServer(listed(1, 2, 3));
    operator = await startOperator(`
connections: { features: { kind: sqlite, file: "\${TIDEGATE_DATA}/tidegate.db" } }
sources:
  - { name: always, kind: static, features: { always: true } }
  - name: partner
    kind: feed
    connection: features
    pollSeconds: 86400
    document: { url: "${feedServer.url}", allow: [127.0.0.1] }
    item: { at: events, id: "{id}", title: name, window: { start: from, end: to }, features: ["event:{id}"], metadata: { name: name } }
`);
    await until(async () => (await items()).body.items.length === 3, "the document is read");
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await feedServer[Symbol.asyncDispose]();
  });
  const items = (query = "") => operator.get(`/sources/partner/items${query}`);

  it("are returned with their fields and the state of the feed", async () => {
    const { status, body } = await items();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      source: "partner",
      state: { known: 3, listed: 3, invalid: 0, failure: null, breaker: "closed" },
      faults: [],
    });
    expect(body.items[0]).toEqual({
      id: "1",
      title: "Event 1",
      start: "2026-05-01T00:00:00.000Z",
      end: "2026-05-02T00:00:00.000Z",
      minPrice: null,
      maxPrice: null,
      features: ["event:1"],
      onFrom: "2026-05-01T00:00:00.000Z",
      onUntil: "2026-05-02T00:00:00.000Z",
      offered: true,
      everOffered: true,
      listed: true,
      lastListed: body.state.lastSuccess,
      metadata: { name: "Event 1" },
    });
  });

  it("are paged", async () => {
    const first = await items("?limit=2");
    expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual(["1", "2"]);
    const second = await items(`?limit=2&cursor=${first.body.next}`);
    expect(second.body.items.map(({ id }: { id: string }) => id)).toEqual(["3"]);
    expect(second.body).not.toHaveProperty("next");
    expect((await items("?cursor=x")).body.code).toBe("invalid-cursor");
  });

  it("can be polled now by an editor, with the faults of invalid items", async () => {
    feedServer.answer = broken;
    const { length } = feedServer.requests;
    const polled = await operator.post("/sources/partner/poll");
    expect([polled.status, polled.body]).toMatchObject([
      200,
      {
        state: { known: 3, listed: 1, invalid: 1 },
        faults: [{ id: "1", fault: expect.stringContaining("2026-05-32") }],
      },
    ]);
    expect(feedServer.requests).toHaveLength(length + 1);
    const { body } = await items();
    expect(body.items.map(({ id, listed }: { id: string; listed: boolean }) => [id, listed])).toEqual([
      ["1", true],
      ["2", true],
      ["3", false],
    ]);
    feedServer.answer = listed(1, 2, 3);
    await operator.post("/sources/partner/poll");
  });

  it("stay after a failed poll, which the response, readiness and metrics report", async () => {
    feedServer.answer = (_, response) => void response.writeHead(404).end();
    const { body } = await operator.post("/sources/partner/poll");
    expect(body.state).toMatchObject({ known: 3, failure: "127.0.0.1 responds 404" });
    const ready = await operator.service.get("/health/ready", bearer(adminToken));
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      { status: "ready", feeds: { partner: { known: 3, failure: "127.0.0.1 responds 404", breaker: "closed" } } },
    ]);
    expect(await (await operator.service.get("/health/ready")).json()).toEqual({ status: "ready" });
    const metrics = await (await operator.service.get("/metrics", bearer(adminToken))).text();
    expect(metrics).toContain('tidegate_feed_items{source="partner"} 3\n');
    expect(metrics).toContain('tidegate_feed_invalid_items{source="partner"} 0\n');
    expect(metrics).toContain('tidegate_feed_breaker_open{source="partner"} 0\n');
    expect(metrics).toMatch(/tidegate_feed_last_success_timestamp_seconds\{source="partner"\} 1\.?\d+e?/);
    for (let tries = 0; tries < 4; tries++) await operator.post("/sources/partner/poll");
    const open = await operator.post("/sources/partner/poll");
    expect(open.body.state).toMatchObject({ breaker: "open", failure: expect.stringContaining("polling is paused") });
  });

  it("need a viewer, and polling an editor", async () => {
    const nobody = operatorOf(operator.service, "nobody");
    expect((await nobody.get("/sources/partner/items")).status).toBe(401);
    expect((await nobody.post("/sources/partner/poll")).status).toBe(401);
  });

  it("do not exist for other sources", async () => {
    for (const path of ["/sources/always/items", "/sources/always/poll"]) {
      const answer = path.endsWith("poll") ? await operator.post(path) : await operator.get(path);
      expect([answer.status, answer.body.code]).toEqual([409, "not-changeable"]);
    }
    expect((await operator.get("/sources/none/items")).body.code).toBe("unknown-source");
    expect((await operator.post("/sources/partner/poll", { now: true })).status).toBe(422);
    expect((await operator.get("/sources/partner/items?limit=0")).body.code).toBe("invalid-query");
  });
});
