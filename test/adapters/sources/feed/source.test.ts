import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { v7 as uuidv7 } from "uuid";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { source } from "../../../../src/adapters/sources/feed/source.ts";
import { feedReader } from "../../../../src/application/feeds/read-feed.ts";
import { pollerOf } from "../../../../src/bootstrap/composition/sources/feed-poller.ts";
import { schemaTools } from "../../../../src/bootstrap/config/schema-tools.ts";
import type { EvaluationContext } from "../../../../src/domain/evaluation/evaluation-context.ts";
import type { KnownItem } from "../../../../src/domain/feeds/item.ts";
import type { Connection } from "../../../../src/infrastructure/connection.ts";
import { featureResolverContract } from "../../../contracts/feature-resolver.contract.ts";
import { document, type FeedServer, json, startFeedServer } from "../../../support/feed-server.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { hostOn } from "../../../support/source-host.ts";
import { redisStore, sqliteStore, type TestStore } from "../../../support/stores.ts";

const options = source.options(schemaTools(["store"]));
const fever = (answer: number) =>
  readFileSync(resolve(import.meta.dirname, `../../../fixtures/fever/${answer}.xml`), "utf8");

const feedOf = (given: z.output<typeof options>) => {
  if (!source.feed) throw new Error("a provider has a feed");
  return source.feed(given, "tested");
};

/** A document with two shows, the second of which is not offered. */
const shows = {
  shows: [
    { id: 1, name: "First", from: "2026-06-01T20:00:00", to: "2026-06-01T22:00:00", status: "online" },
    { id: 2, name: "Second", from: "2026-06-01", to: "2026-06-02", status: "offline" },
  ],
};
const showItem = {
  at: "shows",
  id: "{id}",
  title: "name",
  window: { start: "from", end: "to", zone: "Europe/Madrid" },
  features: ["show:{id}"],
  conditions: { status: "online" },
  prices: ["prices/amount"],
};
const duringTheFirst = Date.parse("2026-06-01T18:30:00Z");

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

describe.each([
  ["Redis", () => redisStore(redis)],
  ["SQLite", async () => sqliteStore()],
])("kind feed over %s", (_, open: () => Promise<TestStore>) => {
  let store: TestStore;
  let feedServer: FeedServer;
  const made: AsyncDisposable[] = [];
  beforeEach(async () => {
    store = await open();
    feedServer = await startFeedServer(json(shows));
  });
  afterEach(async () => {
    for (const each of made.splice(0)) await each[Symbol.asyncDispose]();
    await feedServer[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  /** A source that polls on demand only. */
  function provider(
    { item = showItem, ...changes }: { readonly item?: object; readonly maxItems?: number } = {},
    warnings: unknown[] = [],
    connection: Connection = store.connection,
  ) {
    const given = options.parse({
      connection: "store",
      document: { url: feedServer.url, allow: ["127.0.0.1"], fetchTimeoutMs: 1_000 },
      item,
      ...changes,
    });
    const items = pollerOf("tested", { connection: "store", create: () => feedOf(given) }, connection, {
      warn: (fields) => warnings.push(fields),
      newId: uuidv7,
      now: Date.now,
    });
    const resolver = source.create(given, hostOn(connection, { readItems: feedReader(items) }));
    made.push({ [Symbol.asyncDispose]: () => items.stop() });
    const known = async () => (await items.known()).all();
    return { resolver, items, known };
  }

  featureResolverContract(
    async () => {
      const { resolver, items } = provider();
      await items.poll();
      return { resolver, context: { at: duringTheFirst }, on: ["show:1"], off: ["show:2"] };
    },
    async () => {
      await using closed = await open();
      return provider({}, [], closed.connection).resolver;
    },
  );

  const on = async (resolver: ReturnType<typeof provider>["resolver"], context: EvaluationContext) => {
    const { features, validUntil } = await resolver.resolve(context);
    return { on: [...features].filter(([, { on }]) => on).map(([feature]) => feature), validUntil };
  };

  it("switches features on from the start of a window to before its end, and returns the next boundary", async () => {
    const { resolver, items } = provider();
    await items.poll();
    const [start, end] = ["2026-06-01T18:00:00Z", "2026-06-01T20:00:00Z"].map((text) => Date.parse(text)) as [
      number,
      number,
    ];
    expect(await on(resolver, { at: start - 1 })).toEqual({ on: [], validUntil: start });
    expect(await on(resolver, { at: start })).toEqual({ on: ["show:1"], validUntil: end });
    expect(await on(resolver, { at: end - 1 })).toEqual({ on: ["show:1"], validUntil: end });
    expect(await on(resolver, { at: end })).toEqual({ on: [], validUntil: Number.POSITIVE_INFINITY });
  });

  it("returns another result as soon as an item changes", async () => {
    const { resolver, items } = provider();
    await items.poll();
    const { dependencies: from } = await resolver.resolve({ at: duringTheFirst });
    expect(from?.every((cached) => cached.isCurrent(duringTheFirst))).toBe(true);
    feedServer.answer = json({ shows: shows.shows.map((show) => ({ ...show, status: "online" })) });
    await items.poll();
    expect(from?.every((cached) => cached.isCurrent(duringTheFirst))).toBe(false);
    expect((await on(resolver, { at: duringTheFirst })).on).toEqual(["show:2", "show:1"]);
  });

  it("returns the item in explanations", async () => {
    const { resolver, items } = provider();
    await items.poll();
    const { features } = await resolver.resolve({ at: duringTheFirst });
    expect(features.get("show:1")?.metadata).toEqual({
      item: "1",
      title: "First",
      onFrom: "2026-06-01T18:00:00.000Z",
      onUntil: "2026-06-01T20:00:00.000Z",
      offered: true,
      partner: {},
    });
  });

  it("uses items that another instance read, without a request", async () => {
    const [one, other] = [provider(), provider()];
    await one.items.poll();
    expect(await other.known()).toEqual(await one.known());
    expect(feedServer.requests).toHaveLength(1);
  });

  it("pauses after failures that another instance had", async () => {
    const [one, other] = [provider(), provider()];
    feedServer.answer = (_, response) => void response.writeHead(400).end();
    for (let failure = 0; failure < 5; failure++) await one.items.poll();
    expect(one.items.state).toMatchObject({ breaker: "open", pausedUntil: expect.any(Number) });
    const state = await other.items.poll();
    expect(state).toMatchObject({ breaker: "open", failure: expect.stringContaining("polling is paused") });
    expect(state.pausedUntil).toBe(one.items.state?.pausedUntil);
    expect(feedServer.requests).toHaveLength(5);
  });

  it("sends validators, unless the mapping has changed", async () => {
    feedServer.answer = ({ headers }, response) => {
      if (headers["if-none-match"] === '"1"') return void response.writeHead(304).end();
      response.writeHead(200, { "Content-Type": "application/json", ETag: '"1"' }).end(JSON.stringify(shows));
    };
    const { items } = provider();
    await items.poll();
    const { generation } = items;
    expect(await items.poll()).toMatchObject({ failure: null, listed: 2 });
    expect(items.generation).toBe(generation);
    const { title: _, ...untitled } = showItem;
    const other = provider({ item: untitled });
    await other.items.poll();
    expect((await other.known()).map(({ title }) => title)).toEqual([null, null]);
    expect(feedServer.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"', undefined]);
  });

  it("writes no unchanged items", async () => {
    const { items } = provider();
    await items.poll();
    const { revision } = await store.connection.items.since("tested", undefined, 10);
    await items.poll();
    expect((await store.connection.items.since("tested", revision, 10)).items).toEqual([]);
  });

  it("keeps an unlisted item with its last values and the time of removal", async () => {
    const { resolver, items, known } = provider();
    const { succeededAt } = await items.poll();
    feedServer.answer = json({ shows: [] });
    await items.poll();
    expect((await known()).map(({ id, title, lastListedAt }) => [id, title, lastListedAt])).toEqual([
      ["2", "Second", succeededAt],
      ["1", "First", succeededAt],
    ]);
    expect((await on(resolver, { at: duringTheFirst })).on).toEqual(["show:1"]);
    feedServer.answer = json(shows);
    await items.poll();
    expect((await known()).map(({ lastListedAt }) => lastListedAt)).toEqual([null, null]);
  });

  it("rejects only the invalid item, and keeps its previous values", async () => {
    const warnings: unknown[] = [];
    const { items, known } = provider({}, warnings);
    await items.poll();
    const [first, second] = shows.shows;
    const bad = (changes: object) => ({ ...first, id: 3, ...changes });
    feedServer.answer = json({
      shows: [
        { ...second, name: "Changed" },
        { ...first, to: "2026-06-31T22:00:00" },
        bad({ name: undefined }),
        bad({ id: undefined }),
        bad({ id: 4, to: "2026-05-01" }),
        bad({ id: 5, prices: [{ amount: "free" }] }),
        bad({ id: "6 7" }),
        bad({ id: 8, from: "tomorrow" }),
        { ...second, name: "Twice" },
        7,
      ],
    });
    const state = await items.poll();
    expect(state).toMatchObject({ failure: null, listed: 1, invalid: 9 });
    expect(state.faults).toEqual([
      { id: "1", fault: 'has an invalid time: "2026-06-31T22:00:00"' },
      { id: "3", fault: "has no title" },
      { id: null, fault: "has no value for its id" },
      { id: "4", fault: 'ends before it starts: "2026-06-01T20:00:00" to "2026-05-01"' },
      { id: "5", fault: 'has an invalid price: "free"' },
      { id: "6 7", fault: 'has an invalid feature: "show:6 7"' },
      { id: "8", fault: 'has an invalid time: "tomorrow"' },
      { id: "2", fault: "is listed twice; the first one is used" },
      { id: null, fault: "has no value for its id" },
    ]);
    const titles = (await known()).map(({ id, title, lastListedAt }) => [id, title, lastListedAt]);
    expect(titles).toEqual([
      ["2", "Changed", null],
      ["1", "First", null],
    ]);
    expect(warnings).toMatchObject([{ invalid: 9 }]);
  });

  it("accepts no more items than the limit", async () => {
    const { items, known } = provider({ maxItems: 1 });
    expect(await items.poll()).toMatchObject({ listed: 1, invalid: 1, faults: [{ id: null }] });
    expect(await known()).toHaveLength(1);
  });

  it.each<[string, Parameters<typeof startFeedServer>[0], RegExp]>([
    ["no JSON", document("<html>", "application/json"), /is invalid JSON/],
    ["NaN", document('{"shows":[{"id":NaN}]}', "application/json"), /is invalid JSON/],
    ["another schema", json({ events: [] }), /has no shows/],
    ["invalid items only", json({ shows: [{ id: 1 }] }), /no valid item of 1; the first one has no/],
    [
      "a price beyond all numbers",
      document(
        JSON.stringify(shows)
          .replace('"First"', '"x","prices":{"amount":1e400}')
          .replace(/,{"id":2[^}]*}/, ""),
        "application/json",
      ),
      /price beyond 2\^53/,
    ],
    ["deep JSON", document(`{"shows":${"[".repeat(5_000_000)}`, "application/json"), /nested deeper than 100 levels/],
    ["another content type", document("[]", "text/csv"), /neither JSON nor XML/],
    ["what is not in its encoding", document(new Uint8Array([0x7b, 0xff]), "application/json"), /is not in utf-8/],
    [
      "half of it",
      (_, response) =>
        void response
          .writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" })
          .write('{"shows":[', () => response.destroy()),
      /closed before the end/,
    ],
  ])("rejects a document that is %s, and keeps the previous items", async (_, answer, reason) => {
    const warnings: unknown[] = [];
    const { items, known } = provider({}, warnings);
    await items.poll();
    const before = await known();
    feedServer.answer = answer;
    const state = await items.poll();
    expect(state.failure).toMatch(reason);
    expect(state).toMatchObject({ listed: 2, invalid: 0 });
    expect(await known()).toEqual(before);
    expect(warnings).toHaveLength(1);
    feedServer.answer = json(shows);
    expect((await items.poll()).failure).toBeNull();
  });

  it("keeps the online events of three consecutive documents searchable, with their last values", async () => {
    const { sources } = (await import("yaml")).parse(
      readFileSync(join(import.meta.dirname, "../../../../config/examples/fever.yaml"), "utf8"),
    );
    const { items, known } = provider({ item: z.record(z.string(), z.unknown()).parse(sources[0].item) });
    const states = [];
    for (const answer of [1, 2, 3]) {
      feedServer.answer = document(fever(answer), "application/xml");
      states.push(await items.poll());
    }
    expect(states.map(({ listed, invalid }) => [listed, invalid])).toEqual([
      [3, 0],
      [2, 2],
      [3, 2],
    ]);
    const searchable = (await known()).filter(({ wasOffered }) => wasOffered);
    const notified = ({ id, title, start, end, minPrice, maxPrice }: KnownItem) =>
      [id, title, start.date, start.time, end.time, minPrice, maxPrice].join("|");
    expect(searchable.map(notified)).toEqual([
      "322-1642|Comedy for two|2021-02-10|20:00:00|21:30:00|55|55",
      "291-291|An evening of pop, moved|2021-06-30|21:30:00|22:30:00|15|35.5",
      "1591-1642|Two brothers|2021-07-31|20:00:00|21:20:00|60|75",
    ]);
    const others = (await known()).filter(({ wasOffered }) => !wasOffered);
    expect(others.map(({ id }) => id)).toEqual(["444-1642"]);
  });
});

describe("options of kind feed", () => {
  const faultsOf = (changes: { readonly document?: object; readonly item?: object }) => {
    const { example } = source;
    const given = { ...example, connection: "store", document: { ...example.document, ...changes.document } };
    const result = options.safeParse({ ...given, item: { ...example.item, ...changes.item } });
    return result.error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`) ?? [];
  };

  it("accept the example", () => expect(faultsOf({})).toEqual([]));

  it.each([
    "http://partner.example/",
    "http://169.254.169.254/",
    "https://169.254.169.254/latest",
    "https://[::ffff:7f00:1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://①②⑦.0.0.1/",
    "https://0/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00::1]/",
    "https://[::1]/",
    "https://100.64.0.1/",
    "file:///etc/passwd",
    "data:application/json,[]",
    "gopher://partner.example/",
    "https://user:secret@partner.example/",
    "partner.example",
  ])("reject the URL %s, without repeating a password", (url) => {
    const faults = faultsOf({ document: { url } });
    expect(faults).toHaveLength(1);
    expect(faults.join()).toMatch(/^document.url /);
    expect(faults.join()).not.toContain("secret");
  });

  it.each([
    [{ at: "../shows" }, /item.at the path starts at the top/],
    [{ at: "a//b" }, /item.at invalid path/],
    [{ title: "a/../b" }, /item.title invalid path \(put all/],
    [{ title: "../../../x" }, /item a path goes up more levels/],
    [{ id: "same" }, /item.id the id is the same for all/],
    [{ id: "{a" }, /item.id has an unmatched brace/],
    [{ conditions: { id: Number("9007199254740993") } }, /put it in quotes/],
    [{ features: ["{name}"] }, /invalid feature \(start it with a literal/],
    [{ window: { start: "a", end: "b", zone: "Europe/Nowhere" } }, /invalid time zone/],
  ])("reject the mapping %j", (item, fault) => {
    expect(faultsOf({ item }).join()).toMatch(fault);
  });

  it("reject headers that Tidegate sets", () => {
    expect(faultsOf({ document: { headers: { Host: "other", "X-Key": "1" } } })).toEqual([
      "document.headers.Host reserved header (omit it)",
    ]);
  });
});
