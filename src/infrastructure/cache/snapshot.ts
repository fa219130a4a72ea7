import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { errorMessage } from "../../domain/error-message.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import { isServedKey, type Json } from "../../domain/evaluation/feature.ts";
import type { FeatureSet } from "../../domain/evaluation/feature-sets.ts";
import type { RulesByFeature } from "../../domain/evaluation/rules.ts";
import type { FeedItems } from "../../domain/feeds/feed-items.ts";
import type { KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { RemoteStore } from "../connection.ts";
import { isEntry } from "../entries.ts";
import type { Log } from "../logger.ts";
import type { FilledStores } from "../stores/filled-stores.ts";
import { storedUser } from "../stores/stored-user.ts";
import type { NearCache } from "./near-cache.ts";
import { inSlices, readSnapshotFile, writeSnapshotFile } from "./snapshot-file.ts";

/** The caches of one store. */
export type SnapshotPart = {
  readonly connection: string;
  readonly store: RemoteStore;
  /** Absent if no source and no token lookup reads sets. */
  readonly sets: NearCache<FeatureSet> | undefined;
  /** Absent if no source stores rules. */
  readonly rules: NearCache<RulesByFeature> | undefined;
  /** Absent if a token could be guessed from its digest. */
  readonly tokens: NearCache<UserId | undefined> | undefined;
  /** The items of each feed, by source name. */
  readonly feeds: ReadonlyMap<string, Pick<FeedItems, "generation" | "snapshot" | "restore">>;
};

const isFeatures = (value: unknown): boolean =>
  Array.isArray(value) && value.every((feature) => typeof feature === "string" && isServedKey(feature));

const isRules = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((each) => Array.isArray(each) && typeof each[0] === "string" && each.length === 2);

/** Validates an item as a store does. The rest of the item was written with it. */
const isItem = (value: unknown): boolean =>
  isEntry(value) && typeof value["id"] === "string" && Array.isArray(value["features"]);

/** The line of a store precedes the lines of its cached values. */
const StoreLine = z.strictObject({ connection: z.string(), store: z.string(), filled: z.boolean() });
const SetLine = z.strictObject({
  set: z.string(),
  features: z.custom<readonly string[]>(isFeatures),
  invalidMembers: z.int().min(0),
  asOf: z.number(),
});
const RulesLine = z.strictObject({
  collection: z.string(),
  rules: z.custom<readonly (readonly [string, Json])[]>(isRules),
  asOf: z.number(),
});
const TokenLine = z.strictObject({ token: z.string(), user: z.string().transform(storedUser), asOf: z.number() });
/** The state of a feed. Its items follow, one per line. */
const FeedLine = z.strictObject({
  feed: z.string(),
  state: z.custom<PollState | null>((value) => value === null || isEntry(value)),
  isAhead: z.boolean(),
});
const ItemLine = z.strictObject({ item: z.custom<KnownItem>(isItem) });

type Line =
  | z.output<typeof StoreLine>
  | z.output<typeof SetLine>
  | z.output<typeof RulesLine>
  | z.output<typeof TokenLine>
  | z.output<typeof FeedLine>
  | z.output<typeof ItemLine>;

const schemas = [
  ["set", SetLine],
  ["rules", RulesLine],
  ["token", TokenLine],
  ["feed", FeedLine],
  ["item", ItemLine],
] as const;

function lineOf(value: unknown): Line {
  const fields = isEntry(value) ? value : {};
  const [, schema = StoreLine] = schemas.find(([member]) => member in fields) ?? [];
  const { success, data } = schema.safeParse(value);
  if (!success) throw new Error("it has an invalid line");
  return data;
}

const usualIntervalMs = 10_000;

/**
 * Snapshot of the caches in a file, so that cached values survive a restart as last known values, stale from the start.
 * One of the processes that share the file writes it every 10 s if anything was read since, and at exit. An unusable
 * file is ignored, and a failed write is harmless. Both log a warning.
 */
export class Snapshot implements AsyncDisposable {
  readonly #file: string;
  readonly #parts: readonly SnapshotPart[];
  readonly #filled: FilledStores;
  readonly #log: Log;
  readonly #intervalMs: number;
  readonly #restored = { stores: new Set<string>(), sets: 0, rules: 0, tokens: 0, items: 0 };
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #written = 0;
  #failing = false;

  constructor(
    file: string,
    parts: readonly SnapshotPart[],
    filled: FilledStores,
    log: Log,
    intervalMs = usualIntervalMs,
  ) {
    this.#file = file;
    this.#parts = parts;
    this.#filled = filled;
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /** Restores the snapshot, then writes it periodically. Await before the first lookup. */
  async start(): Promise<void> {
    await this.#load();
    this.#running = this.#run();
  }

  /** Writes the snapshot if anything was read since and no other process has just written it. */
  async writeIfDue(): Promise<void> {
    if (this.#version() === this.#written) return;
    const age = Date.now() - ((await stat(this.#file).catch(() => undefined))?.mtimeMs ?? 0);
    if (age >= 0 && age < 0.9 * this.#intervalMs) return;
    await this.write();
  }

  /** Whether the snapshot contains the store of a connection, and, if `withTokens`, any token. */
  isUsedFor(connection: string, withTokens: boolean): boolean {
    return this.#restored.stores.has(connection) && (!withTokens || this.#restored.tokens > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
    // Rewrites unchanged values too: they may have been verified since.
    if (this.#running && this.#version() > 0) await this.write();
  }

  async #load(): Promise<void> {
    try {
      const lines = await readSnapshotFile(this.#file, lineOf);
      if (!lines) return;
      await this.#restore(lines);
      const { stores: _, ...counts } = this.#restored;
      this.#log.info({ file: this.#file, ...counts }, "cache restored from the snapshot");
    } catch (cause) {
      this.#warn(cause, "cannot read the snapshot; starting without it");
    }
  }

  async #restore(lines: readonly Line[]): Promise<void> {
    let part: SnapshotPart | undefined;
    let feed: (z.output<typeof FeedLine> & { readonly items: KnownItem[] }) | undefined;
    const restoreFeed = () => {
      const { items = [], state, isAhead = false } = feed ?? {};
      const isRestored = feed && part?.feeds.get(feed.feed)?.restore({ items, state: state ?? undefined, isAhead });
      if (isRestored) this.#restored.items += items.length;
      feed = undefined;
    };
    for await (const line of inSlices(lines)) {
      if ("item" in line) {
        feed?.items.push(line.item);
        continue;
      }
      restoreFeed();
      if ("connection" in line) {
        part = this.#parts.find(({ connection, store }) => connection === line.connection && store.id === line.store);
        if (!part) continue;
        this.#restored.stores.add(part.connection);
        if (line.filled) this.#filled.add(part.store.id);
      } else if ("feed" in line) {
        feed = { ...line, items: [] };
      } else if ("set" in line) {
        const { set, asOf, ...value } = line;
        if (part?.sets?.restore({ key: set, value, asOf })) this.#restored.sets += 1;
      } else if ("rules" in line) {
        const { collection: key, rules, asOf } = line;
        if (part?.rules?.restore({ key, value: new Map(rules), asOf })) this.#restored.rules += 1;
      } else if (part?.tokens?.restore({ key: line.token, value: line.user, asOf: line.asOf })) {
        this.#restored.tokens += 1;
      }
    }
    restoreFeed();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const delay = this.#intervalMs * (0.9 + Math.random() * 0.2);
      await sleep(delay, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted) await this.writeIfDue();
    }
  }

  async write(): Promise<void> {
    const version = this.#version();
    try {
      await writeSnapshotFile(this.#file, this.#lines());
      this.#written = version;
      this.#failing = false;
    } catch (cause) {
      if (!this.#failing) this.#warn(cause, "cannot write the snapshot");
      this.#failing = true;
    }
  }

  *#lines(): Iterable<Line | undefined> {
    for (const { connection, store, sets, rules, tokens, feeds } of this.#parts) {
      yield { connection, store: store.id, filled: this.#filled.has(store.id) };
      for (const last of sets?.lastKnown() ?? []) {
        yield last && {
          set: last.key,
          features: [...last.value.features],
          invalidMembers: last.value.invalidMembers,
          asOf: last.asOf,
        };
      }
      for (const last of rules?.lastKnown() ?? []) {
        yield last && { collection: last.key, rules: [...last.value], asOf: last.asOf };
      }
      for (const last of tokens?.lastKnown() ?? []) {
        yield last?.value === undefined ? undefined : { token: last.key, user: last.value, asOf: last.asOf };
      }
      for (const [feed, known] of feeds) {
        const { items = [], state, isAhead } = known.snapshot() ?? {};
        if (isAhead === undefined) continue;
        yield { feed, state: state ?? null, isAhead };
        for (const item of items) yield { item };
      }
    }
  }

  #version(): number {
    const caches = this.#parts.flatMap(({ sets, rules, tokens }) => [sets, rules, tokens]);
    const generations = this.#parts.flatMap(({ feeds }) => [...feeds.values()].map(({ generation }) => generation));
    return [...caches.map((cache) => cache?.stored ?? 0), ...generations].reduce((sum, count) => sum + count, 0);
  }

  #warn(cause: unknown, sentence: string): void {
    this.#log.warn({ file: this.#file, cause: errorMessage(cause) }, sentence);
  }
}
