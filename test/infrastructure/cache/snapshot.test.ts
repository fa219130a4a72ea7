import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KnownItems } from "../../../src/application/feeds/known-items.ts";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { Json } from "../../../src/domain/evaluation/feature.ts";
import type { FeatureSet } from "../../../src/domain/evaluation/feature-sets.ts";
import type { InvalidationFeed } from "../../../src/domain/evaluation/invalidation-feed.ts";
import type { RulesByFeature } from "../../../src/domain/evaluation/rules.ts";
import type { ItemStore } from "../../../src/domain/feeds/item-store.ts";
import { NearCache } from "../../../src/infrastructure/cache/near-cache.ts";
import { Snapshot } from "../../../src/infrastructure/cache/snapshot.ts";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { FilledStores } from "../../../src/infrastructure/stores/filled-stores.ts";
import { anItem } from "../../support/items.ts";
import { until } from "../../support/until.ts";

const maxStaleMs = 60_000;
/** A store that does not respond. */
const away = () => Promise.reject(new Error("away"));
const noItems: ItemStore = { put: away, since: away, saveState: away };
const feed: InvalidationFeed = {
  epoch: 1,
  generation: 1,
  isLive: () => true,
  syncedUntil: () => Number.NEGATIVE_INFINITY,
  notify: () => {},
  subscribe: () => {},
};

describe("the snapshot", () => {
  let folder: string;
  let file: string;
  let now: number;
  let logged: { level: number; msg: string; file?: string; cause?: string }[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-snapshot-"));
    file = join(folder, "made/snapshot.ndjson");
    now = 1_700_000_000_000;
    logged = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const cacheOf = <T>(isArbitrary: (value: T) => boolean) =>
    new NearCache<T>({
      isArbitrary,
      isSame: Object.is,
      invalidations: feed,
      limits: { capacity: 100, expiryMs: 60_000, maxStaleMs },
      now: () => now,
      monotonic: () => now,
      staleIfInvalid: true,
    });

  /** The state of one process: its caches, its findings about the store, and the snapshot. */
  function process({ store = "store-1", withTokens = true, intervalMs = 60_000, at = file } = {}) {
    const sets = cacheOf<FeatureSet>(({ features }) => features.length === 0);
    const tokens = cacheOf<string | undefined>((userId) => userId === undefined);
    const filled = new FilledStores();
    const log = createLog("info", { write: (line) => void logged.push(JSON.parse(line)) });
    const rules = cacheOf<RulesByFeature>(({ size }) => size === 0);
    const remote = { id: store };
    const feed = new KnownItems("shows", noItems, { add: away } as never);
    const feeds = new Map([["shows", feed]]);
    const tokensHere = withTokens ? tokens : undefined;
    const part = { connection: "features", store: remote, sets, rules, tokens: tokensHere, feeds };
    const snapshot = new Snapshot(at, [part], filled, log, intervalMs);
    const read = (key: string, ...features: string[]) =>
      sets.get(key, async () => uncachedRead({ features, invalidMembers: 0 }, now));
    const put = (collection: string, all: Readonly<Record<string, Json>>) =>
      rules.get(collection, async () => uncachedRead(new Map(Object.entries(all)), now));
    const resolve = (digest: string, userId: string | undefined) =>
      tokens.get(digest, async () => uncachedRead(userId, now));
    const last = async <T>(cache: NearCache<T>, key: string) => {
      const cached = await cache.get(key, away);
      return { value: cached.value, asOf: cached.verifiedAt(now), isCurrent: cached.isCurrent(now) };
    };
    return {
      snapshot,
      feed,
      filled,
      isFilled: () => filled.has(store),
      read,
      resolve,
      put,
      rules: (collection: string) => last(rules, collection),
      set: (key: string) => last(sets, key),
      user: (digest: string) => last(tokens, digest),
      hasSnapshot: (withTokens = false) => snapshot.isUsedFor("features", withTokens),
      stop: () => snapshot[Symbol.asyncDispose](),
    };
  }

  async function written(): Promise<void> {
    const before = process();
    await before.snapshot.start();
    before.filled.add("store-1");
    await before.read("global", "a", "b");
    await before.read("killed");
    await before.resolve("digest", "1");
    await before.resolve("unknown", undefined);
    await before.stop();
  }

  it("restores cached values with their instant, as stale", async () => {
    await written();
    const writtenAt = now;
    now += 10_000;
    const { snapshot, isFilled, set, user, hasSnapshot } = process();
    await snapshot.start();
    expect(await set("global")).toEqual({
      value: { features: ["a", "b"], invalidMembers: 0 },
      asOf: writtenAt,
      isCurrent: false,
    });
    expect((await set("killed")).value.features).toEqual([]);
    expect((await user("digest")).value).toBe("1");
    await expect(user("unknown")).rejects.toThrow("away");
    expect([isFilled(), hasSnapshot(), hasSnapshot(true)]).toEqual([true, true, true]);
    expect(logged).toMatchObject([{ level: 30, file, sets: 2, tokens: 1 }]);
    await snapshot[Symbol.asyncDispose]();
  });

  it("restores rules with their order and names", async () => {
    const before = process();
    await before.snapshot.start();
    const all = JSON.parse('{"b":{"share":5},"a":["x",null],"__proto__":0}');
    await before.put("tidegate:documents:shares", all);
    await before.stop();
    const writtenAt = now;
    now += 10_000;
    const { snapshot, rules, stop } = process();
    await snapshot.start();
    const { value, asOf, isCurrent } = await rules("tidegate:documents:shares");
    expect([[...value], asOf, isCurrent]).toEqual([Object.entries(all), writtenAt, false]);
    expect(logged).toMatchObject([{ sets: 0, rules: 1, tokens: 0 }]);
    await stop();
  });

  it("restores the items of feeds, even those that the store lacks", async () => {
    const before = process();
    await before.snapshot.start();
    await before.feed.put([anItem("1"), anItem("2", { title: "é" })]);
    const kept = before.feed.snapshot();
    await before.stop();
    const { snapshot, feed, stop } = process();
    await snapshot.start();
    expect(feed.snapshot()).toEqual(kept);
    expect(kept).toMatchObject({ items: [{ id: "1" }, { id: "2" }], isAhead: true });
    expect(logged).toMatchObject([{ sets: 0, items: 2 }]);
    await stop();
  });

  it("restores values as older than the freshness bound, even after a fast start", async () => {
    await written();
    const { snapshot, set, stop } = process();
    await snapshot.start();
    expect(now - (await set("global")).asOf).toBeGreaterThan(1_000);
    await stop();
  });

  it("is replaced by the first successful read", async () => {
    await written();
    const { snapshot, read, set, stop } = process();
    await snapshot.start();
    for (const [key, feature] of [
      ["global", "c"],
      ["killed", "x"],
    ] as const) {
      await read(key, feature);
      expect(await set(key)).toEqual({ value: { features: [feature], invalidMembers: 0 }, asOf: now, isCurrent: true });
    }
    await stop();
  });

  it("survives several starts without a store, and keeps its age", async () => {
    await written();
    const writtenAt = now;
    for (let start = 0; start < 3; start++) {
      now += 5_000;
      const { snapshot, set, stop } = process();
      await snapshot.start();
      expect((await set("global")).asOf).toBe(writtenAt);
      await stop();
    }
  });

  it.each([
    ["too old", () => maxStaleMs + 1],
    ["from the future, because the clock was set back", () => -1],
  ])("does not restore data that is %s", async (_, elapsed) => {
    await written();
    now += elapsed();
    const { snapshot, set, isFilled, hasSnapshot, stop } = process();
    await snapshot.start();
    await expect(set("global")).rejects.toThrow("away");
    expect([isFilled(), hasSnapshot(), hasSnapshot(true)]).toEqual([true, true, false]);
    await stop();
  });

  it("is not used for another store", async () => {
    await written();
    const { snapshot, set, isFilled, hasSnapshot, stop } = process({ store: "store-2" });
    await snapshot.start();
    await expect(set("global")).rejects.toThrow("away");
    expect([isFilled(), hasSnapshot()]).toEqual([false, false]);
    await stop();
  });

  it("contains no tokens if their digests could be guessed", async () => {
    const before = process({ withTokens: false });
    await before.snapshot.start();
    await before.read("global", "a");
    await before.resolve("digest", "1");
    await before.stop();
    expect(readFileSync(file, "utf8")).not.toContain("digest");
    const { snapshot, hasSnapshot, stop } = process();
    await snapshot.start();
    expect([hasSnapshot(), hasSnapshot(true)]).toEqual([true, false]);
    await stop();
  });

  it("is accessible to its owner only, and leaves no other file", async () => {
    await written();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "made")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, "made"))).toEqual(["snapshot.ndjson"]);
  });

  const signed = (...lines: unknown[]) => {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    return `${text}${JSON.stringify({ sha256: createHash("sha256").update(text).digest("base64url") })}\n`;
  };
  const head = { snapshot: 1 };
  const store = { connection: "features", store: "store-1", filled: true };

  it.each<[string, (content: string) => string, RegExp]>([
    ["empty", () => "", /it is incomplete, or was edited/],
    ["cut short", (content) => content.slice(0, -60), /it is incomplete, or was edited/],
    [
      "cut short after a line",
      (content) => content.slice(0, content.indexOf("\n") + 1),
      /it is incomplete, or was edited/,
    ],
    ["edited", (content) => content.replace('"a"', '"z"'), /it is incomplete, or was edited/],
    ["of another version", () => signed({ snapshot: 2 }), /has version 2 \(expected 1\)/],
    ["of something else", () => signed("hello"), /has version undefined/],
    [
      "with an invalid feature key",
      () => signed(head, store, { set: "k", features: [""], invalidMembers: 0, asOf: 1 }),
      /an invalid line/,
    ],
    ["with an invalid user id", () => signed(head, store, { token: "d", user: "", asOf: 1 }), /user id is invalid/],
    ["with an invalid item", () => signed(head, store, { item: { id: 1 } }), /an invalid line/],
    ["with an unknown line", () => signed(head, store, { key: "global" }), /an invalid line/],
  ])("is ignored with one warning if it is %s, and replaced", async (_, spoil, fault) => {
    await written();
    writeFileSync(file, spoil(readFileSync(file, "utf8")));
    const { snapshot, isFilled, read, set, hasSnapshot, stop } = process();
    await snapshot.start();
    await expect(set("global")).rejects.toThrow("away");
    expect([isFilled(), hasSnapshot()]).toEqual([false, false]);
    expect(logged).toEqual([
      expect.objectContaining({
        level: 40,
        file,
        cause: expect.stringMatching(fault),
        msg: expect.stringMatching(/cannot read the snapshot/),
      }),
    ]);
    await read("global", "a");
    await stop();
    const next = process();
    await next.snapshot.start();
    expect(next.hasSnapshot()).toBe(true);
    await next.stop();
  });

  it("is ignored with one warning if it is not readable", async () => {
    mkdirSync(file, { recursive: true });
    const { snapshot } = process();
    await snapshot.start();
    expect(logged).toMatchObject([{ level: 40, file, cause: expect.stringContaining("EISDIR") }]);
    await snapshot[Symbol.asyncDispose]();
  });

  it("can be missing without a warning", async () => {
    const { snapshot, stop } = process();
    await snapshot.start();
    await stop();
    expect([logged, existsSync(file)]).toEqual([[], false]);
  });

  it("is written regularly, if there is something new", async () => {
    const { snapshot, read, stop } = process({ intervalMs: 20 });
    await snapshot.start();
    await read("global", "a");
    await until(() => existsSync(file), "it is written");
    await read("other", "b");
    await until(() => readFileSync(file, "utf8").includes("other"), "it is written again");
    await stop();
  });

  it("is written by one of several processes, and not without reads", async () => {
    await written();
    const before = readFileSync(file, "utf8");
    const other = process();
    await other.snapshot.writeIfDue();
    await other.read("other", "b");
    await other.snapshot.writeIfDue();
    expect(readFileSync(file, "utf8")).toBe(before);
    for (const seconds of [Date.now() / 1_000 - 61, Date.now() / 1_000 + 3_600]) {
      await other.read(`at ${seconds}`, "b");
      await utimes(file, seconds, seconds);
      await other.snapshot.writeIfDue();
      expect(readFileSync(file, "utf8")).toContain(`at ${seconds}`);
    }
  });

  it("has no effect if it is not writable, except for one warning", async () => {
    writeFileSync(join(folder, "no-folder"), "");
    const { snapshot, read, set, stop } = process({ at: join(folder, "no-folder/snapshot.ndjson") });
    await read("global", "a");
    for (let attempt = 0; attempt < 3; attempt++) await snapshot.writeIfDue();
    expect(logged).toMatchObject([{ level: 40, cause: expect.stringContaining("no-folder") }]);
    expect((await set("global")).value.features).toEqual(["a"]);
    await stop();
  });
});
