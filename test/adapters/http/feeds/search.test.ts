import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { document, type FeedServer, json, startFeedServer } from "../../../support/feed-server.ts";
import { readsManyEvents } from "../../../support/many-events.ts";
import { startService, type TestService } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

type Found = {
  data: { events: { id: string; title: string; start_date: string; start_time: string | null }[] };
  error: null;
  next?: string;
};

const events = Array.from({ length: 25 }, (_, index) => ({
  id: index,
  name: `Event ${index}`,
  // Some start and end at the same instant.
  from: `2026-05-${10 + Math.floor(index / 5)}T20:00:00`,
  to: `2026-05-${10 + Math.floor(index / 5)}T22:00:00`,
}));
const provider = (name: string, url: string, more = "") => `
  - name: ${name}
    kind: feed
    connection: features
    document: { url: "${url}", allow: [127.0.0.1] }
    item: { at: events, id: "{id}", title: name, window: { start: from, end: to, zone: America/New_York }${more} }`;
const yaml = (sources: string, more = "") => `
connections: { features: { kind: sqlite, file: "\${TIDEGATE_DATA}/tidegate.db" } }
${more}
sources:
${sources}
`;

describe("GET /search", () => {
  let feedServer: FeedServer;
  let service: TestService;
  const found = async (query: string): Promise<Found> => (await service.get(`/search${query}`)).json() as never;
  const titles = async (query: string) => (await found(query)).data.events.map(({ title }) => title);
  beforeAll(async () => {
    feedServer = await startFeedServer(json({ events }));
    const cors = `server: { cors: { origins: ["https://app.example"] } }`;
    service = await startService(
      yaml(provider("one", feedServer.url, ', features: ["one:{id}"]') + provider("other", feedServer.url), cors),
    );
    await until(async () => (await titles("")).length === 50, "both documents are read");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await feedServer[Symbol.asyncDispose]();
  });

  it("returns the mapped fields, and null for missing ones", async () => {
    const { data, error } = await found("?starts_at=2026-05-10&ends_at=2026-05-10");
    expect(error).toBeNull();
    expect(data.events).toHaveLength(10);
    expect(data.events[0]).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      title: "Event 0",
      start_date: "2026-05-10",
      start_time: "20:00:00",
      end_date: "2026-05-10",
      end_time: "22:00:00",
      min_price: null,
      max_price: null,
    });
  });

  it("returns one item by id, with its features", async () => {
    const [first] = (await found("")).data.events;
    const response = await service.get(`/search/${first?.id.toUpperCase()}`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { data: { event: { ...first, features: ["one:0"] } }, error: null },
    ]);
  });

  it.each([
    ["/search/0fb5a2f1-57c3-5a3e-9b43-5d8a7f0a2c11", 404, "unknown-item"],
    ["/search/x", 404, "unknown-item"],
    ["/search/", 404, "not-found"],
    ["/search/x?y=1", 400, "invalid-query"],
  ])("rejects %s with a problem and the members of the seed", async (path, status, code) => {
    const response = await service.get(path);
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining({ code, data: null, error: { code, message: expect.any(String) } }),
    ]);
  });

  it("gives each item of each feed a stable, unique id", async () => {
    const ids = (await found("")).data.events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(50);
    expect((await found("?limit=1000")).data.events.map(({ id }) => id)).toEqual(ids);
  });

  it("treats dates in the time zone of each item", async () => {
    // 20:00 in New York is midnight in UTC, the day after.
    expect(await titles("?starts_at=2026-05-14&ends_at=2026-05-14")).toHaveLength(10);
    expect(await titles("?starts_at=2026-05-15T00:00:00Z&ends_at=2026-05-15T02:00:00Z")).toHaveLength(10);
    expect(await titles("?starts_at=2026-05-15T00:00:00.001Z")).toEqual([]);
    expect(await titles("?ends_at=2026-05-11T01:59:59.999Z")).toEqual([]);
    expect(await titles("?starts_at=2026-05-14T20:00:00-04:00")).toHaveLength(10);
    expect(await titles("?starts_at=2026-05-15")).toEqual([]);
    expect(await titles("?starts_at=2026-05-13")).toHaveLength(20);
  });

  it.each([1, 3, 7, 10, 49, 50, 1000])("pages through all items, each once, %i at a time", async (limit) => {
    const seen: string[] = [];
    let next: string | undefined = `/search?ends_at=2026-06-01&limit=${limit}`;
    while (next) {
      const response = await service.get(next);
      const page = (await response.json()) as Found;
      seen.push(...page.data.events.map(({ id }) => id));
      next = /^<(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
      const cursor = next === undefined ? null : new URL(next, service.url).searchParams.get("cursor");
      expect(page.next ?? null).toBe(cursor);
    }
    expect(seen).toEqual((await found("")).data.events.map(({ id }) => id));
  });

  it.each([
    ["?starts_at=2026-05-02&ends_at=2026-05-01", "invalid-window", /Swap them/],
    ["?starts_at=2026-05-02T00:00:00Z&ends_at=2026-05-01", "invalid-window", /Swap them/],
    ["?starts_at=2026-02-30", "invalid-query", /"starts_at" is invalid \(expected/],
    ["?ends_at=2026-02-01T25:00:00Z", "invalid-query", /"ends_at" is invalid \(expected/],
    ["?ends_at=2026-02-30T00:00:00", "invalid-query", /"ends_at" is invalid \(expected/],
    ["?ends_at=tomorrow", "invalid-query", /"ends_at" is invalid \(expected/],
    ["?ends_at=", "invalid-query", /blank/],
    ["?ends_at=2026-01-01&ends_at=2026-01-02", "invalid-query", /repeated/],
    ["?from=2026-01-01", "invalid-query", /unknown/],
    ["?limit=0", "invalid-query", /expected an integer/],
    ["?limit=1001", "invalid-query", /expected an integer/],
    ["?cursor=abc", "invalid-cursor", /belongs to another request/],
  ])("rejects %s with a problem and the members of the seed", async (query, code, detail) => {
    const response = await service.get(`/search${query}`);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ code, status: 400, data: null, error: { code, message: body["detail"] } });
    expect(body["detail"]).toMatch(detail);
  });

  it("accepts windows of one day and of one instant", async () => {
    for (const query of [
      "?starts_at=2026-05-01&ends_at=2026-05-01",
      "?starts_at=2026-05-01T00:00:00Z&ends_at=2026-05-01T00:00:00Z",
    ]) {
      expect((await service.get(`/search${query}`)).status).toBe(200);
    }
  });

  it("is public, and follows CORS", async () => {
    const response = await service.get("/search", { origin: "https://app.example", authorization: "Basic nonsense" });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect((await fetch(`${service.url}/search`, { method: "POST" })).headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });

  it("returns nothing without feeds", async () => {
    await using without = await startService(yaml("  - { name: all, kind: static, features: { a: true } }"));
    expect(await (await without.get("/search")).json()).toEqual({ data: { events: [] }, error: null });
  });
});

describe("the example config/examples/fever.yaml", () => {
  const example = readFileSync(resolve(import.meta.dirname, "../../../../config/examples/fever.yaml"), "utf8");

  it("returns a page of 1,000 events, of a document with more", async () => {
    await readsManyEvents({ events: 1_100, zones: 10 });
  });

  it("returns the online events of three documents with their last values, even while the feed's server is down", async () => {
    const answer = (count: number) =>
      document(readFileSync(resolve(import.meta.dirname, `../../../fixtures/fever/${count}.xml`), "utf8"), "text/xml");
    const feedServer = await startFeedServer(answer(1));
    await using service = await startService(
      example.replace("format: xml", "allow: [127.0.0.1]").replace("pollSeconds: 60", "pollSeconds: 1"),
      { FEVER_URL: feedServer.url },
    );
    const found = async () => {
      const response = await service.get("/search?starts_at=2021-02-01&ends_at=2022-07-03");
      return ((await response.json()) as { data: { events: Record<string, unknown>[] } }).data.events;
    };
    const count = async (min: number) => {
      const { length } = feedServer.requests;
      await until(() => feedServer.requests.length > length, "the server is polled again");
      await until(async () => (await found()).length >= min, `${min} events are found`);
    };
    await count(2);
    feedServer.answer = answer(2);
    await count(3);
    feedServer.answer = answer(3);
    await until(async () => (await found()).some(({ title }) => title === "An evening of pop, moved"), "values change");
    await feedServer[Symbol.asyncDispose]();
    const values = (await found()).map(({ id: _, ...event }) => Object.values(event).join("|"));
    expect(values).toEqual([
      "Comedy for two|2021-02-10|20:00:00|2021-02-10|21:30:00|55|55",
      "An evening of pop, moved|2021-06-30|21:30:00|2021-06-30|22:30:00|15|35.5",
      "Two brothers|2021-07-31|20:00:00|2021-07-31|21:20:00|60|75",
    ]);
  });
});
