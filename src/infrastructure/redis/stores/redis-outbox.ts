import type { Redis } from "ioredis";
import { maxInBatch } from "../../../domain/admin/batch.ts";
import type { Backlog, Outbox, OutboxEntry } from "../../../domain/admin/outbox.ts";
import type { InvalidationFeed } from "../../../domain/evaluation/invalidation-feed.ts";
import { changeRecordIn } from "../../change-record.ts";
import { headLength, headOf, loadEpochBefore, loadedRecordsIn } from "../import/load-entry.ts";
import { isRefusal, redisFault } from "../redis-fault.ts";
import { isLoadEntry, loadEntryKey, outboxPrefix } from "../redis-keys.ts";
import { scan } from "../scan.ts";

/** The default of `maxTracked`. */
const defaultMaxTracked = 100_000;
/** Maximum share of time spent scanning for lists. */
const shareOfTime = 1 / 10;
/** Maximum number of lists whose length is read. */
const maxMeasured = 200;

/**
 * Position of an entry: its key and its bytes, which may be invalid text. Without bytes if the entry is the whole key.
 */
type Handle = { readonly key: string; readonly bytes?: Buffer };

/**
 * Outbox in Redis: reads the records of the scripts, one list per key, and one string for all sets that were loaded
 * together. Its own feed reports the keys with records. At the start of each epoch of the feed, it scans for them.
 *
 * A large load does not delay other records: lists are read in parallel. Only later records of loaded items wait for
 * the load.
 */
export class RedisOutbox implements Outbox {
  readonly #redis: Redis;
  readonly #feed: InvalidationFeed & AsyncDisposable;
  readonly #maxTracked: number;
  /** The lists that may contain records, in order of their first notification, with the number of the last one. */
  readonly #keys = new Map<string, number>();
  readonly #listeners: (() => void)[] = [];
  #notifications = 0;
  /** Whether there may be unknown lists. */
  #mayHaveMore = true;
  #scanning: Promise<void> | undefined;
  #scanAgainAt = Number.NEGATIVE_INFINITY;
  #scanTimer: NodeJS.Timeout | undefined;
  /** Maximum number of entries per read. Halved after a failed read, doubled after a successful one. */
  #pace = Number.POSITIVE_INFINITY;

  /**
   * Takes ownership of the feed, which covers the keys with the prefix `tidegate:outbox:`. Stores at most `maxTracked`
   * lists. If there are more, it scans for the rest when these are empty.
   */
  constructor(redis: Redis, feed: InvalidationFeed & AsyncDisposable, maxTracked = defaultMaxTracked) {
    this.#redis = redis;
    this.#feed = feed;
    this.#maxTracked = maxTracked;
    feed.subscribe((key) => {
      this.#add(key);
      this.#notify();
    });
  }

  async read(limit: number): Promise<readonly OutboxEntry[]> {
    await this.#scan();
    while (this.#keys.size > 0) {
      const loaded = await this.#readLoads(Math.max(1, Math.floor(limit / maxInBatch)));
      const max = Math.min(limit, this.#pace);
      const lists = this.#keys
        .entries()
        .filter(([key]) => !isLoadEntry(key))
        .take(max)
        .toArray();
      const entries = lists.length > 0 ? await this.#readFrom(lists, Math.floor(max / lists.length)) : [];
      if (loaded.length + entries.length > 0) return [...loaded, ...entries];
    }
    return [];
  }

  async remove(entries: readonly OutboxEntry[]): Promise<void> {
    const handles = entries.map(({ handle }) => handle as Handle);
    await Promise.all(
      handles.map(({ key, bytes }) =>
        (bytes ? this.#redis.lrem(key, 1, bytes) : this.#redis.del(key)).catch((error) => redisFault(error, key)),
      ),
    );
  }

  /**
   * Exact for up to 200 lists and 200 load entries. Beyond, it counts one record per list, and the maximum per load.
   * Drops lists that another process has emptied.
   */
  async backlog(): Promise<Backlog> {
    await this.#scan();
    const parts = await Promise.all([
      this.#measure(false, (key) => this.#ofList(key), 1),
      this.#measure(true, (key) => this.#ofLoad(key), maxInBatch),
    ]);
    const times = parts.flatMap(({ measured }) => measured.flatMap(({ oldest }) => oldest ?? []));
    return {
      entries: parts.reduce((sum, { entries }) => sum + entries, 0),
      oldest: times.length > 0 ? Math.min(...times) : undefined,
    };
  }

  listen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#scanTimer);
    await this.#feed[Symbol.asyncDispose]();
  }

  /**
   * Measures up to 200 lists or load entries, and adds `assumedEntries` for each further one. Continues with further
   * ones while at least half of those measured are empty.
   */
  async #measure(areLoads: boolean, measure: (key: string) => Promise<Backlog>, assumedEntries: number) {
    while (true) {
      const all = this.#keys
        .entries()
        .filter(([key]) => isLoadEntry(key) === areLoads)
        .toArray();
      const some = all.slice(0, maxMeasured);
      const measured = await Promise.all(some.map(([key]) => measure(key)));
      const empty = some.filter((_, index) => measured[index]?.entries === 0);
      for (const [key, notification] of empty) this.#drop(key, notification);
      const rest = all.length - some.length;
      if (rest > 0 && empty.length >= some.length / 2) continue;
      return { measured, entries: measured.reduce((sum, { entries }) => sum + entries, rest * assumedEntries) };
    }
  }

  /** Drops a key, unless a newer notification has arrived. */
  #drop(key: string, notification: number): void {
    if (this.#keys.get(key) === notification) this.#keys.delete(key);
  }

  async #ofList(key: string): Promise<Backlog> {
    const [entries, oldest] = await Promise.all([
      this.#redis.llen(key).catch(unlessOther(key, 0)),
      this.#redis.lindex(key, 0).catch(unlessOther(key, null)),
    ]);
    return { entries, oldest: changeRecordIn(oldest ?? "")?.at };
  }

  async #ofLoad(key: string): Promise<Backlog> {
    const text = await this.#redis.getrange(key, 0, headLength).catch(unlessOther(key, ""));
    const head = headOf(text);
    return { entries: head?.size ?? (text === "" ? 0 : 1), oldest: head?.at };
  }

  async #readLoads(max: number): Promise<readonly OutboxEntry[]> {
    const loads = this.#keys.entries().filter(([key]) => isLoadEntry(key));
    const read = loads.take(max).map(async ([key, notification]): Promise<readonly OutboxEntry[]> => {
      const text = await this.#redis.get(key).catch(unlessOther(key, null));
      if (text !== null) return [{ handle: { key } satisfies Handle, records: loadedRecordsIn(text), text }];
      this.#drop(key, notification);
      return [];
    });
    return (await Promise.all(read)).flat();
  }

  async #readFrom(lists: readonly (readonly [string, number])[], max: number): Promise<readonly OutboxEntry[]> {
    try {
      const read = await Promise.all(
        lists.map(([key]) => this.#redis.lrangeBuffer(key, 0, max - 1).catch(unlessOther<Buffer[]>(key, []))),
      );
      this.#pace *= 2;
      const entries = read.map((found, index) => found.map((bytes) => entryOf(lists[index]?.[0] ?? "", bytes)));
      const loads = await Promise.all(entries.map((found) => this.#firstAfterLoad(found)));
      return lists.flatMap(([key, notification], index) => {
        const found = entries[index] ?? [];
        if (found.length === 0) this.#drop(key, notification);
        const waiting = loads[index];
        if (!waiting) return found;
        this.#postpone(key, waiting.load);
        return found.slice(0, waiting.index);
      });
    } catch (error) {
      this.#pace = Math.max(1, Math.floor(Math.min(this.#pace, lists.length * max) / 2));
      throw error;
    }
  }

  /** Index of the first entry that follows a pending load of its item, with the key of that load. */
  async #firstAfterLoad(entries: readonly OutboxEntry[]) {
    const possible = entries.flatMap(({ records }, index) => {
      const epoch = records?.[0] && loadEpochBefore(records[0]);
      return epoch === undefined ? [] : [{ index, load: loadEntryKey(epoch) }];
    });
    const lengths = await Promise.all(possible.map(({ load }) => this.#redis.strlen(load).catch(unlessOther(load, 0))));
    return possible.find((_, index) => (lengths[index] ?? 0) > 0);
  }

  /** Moves a list to the end, and adds a load. */
  #postpone(list: string, load: string): void {
    const notification = this.#keys.get(list) ?? this.#notifications;
    this.#keys.delete(list);
    this.#keys.set(list, notification);
    if (!this.#keys.has(load)) this.#keys.set(load, notification);
  }

  #add(key: string | undefined): void {
    this.#notifications += 1;
    if (key !== undefined && (this.#keys.has(key) || this.#keys.size < this.#maxTracked))
      this.#keys.set(key, this.#notifications);
    else this.#mayHaveMore = true;
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Scans for lists if there may be unknown ones. If the last scan is too recent, the listeners are called later. */
  #scan(): Promise<void> {
    if (this.#scanning) return this.#scanning;
    if (!this.#mayHaveMore || this.#keys.size >= this.#maxTracked) return Promise.resolve();
    const wait = this.#scanAgainAt - performance.now();
    if (wait > 0) {
      this.#scanTimer ??= setTimeout(() => {
        this.#scanTimer = undefined;
        this.#notify();
      }, wait).unref();
      return Promise.resolve();
    }
    this.#scanning = this.#scanNow().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  async #scanNow(): Promise<void> {
    const startedAt = performance.now();
    this.#mayHaveMore = false;
    try {
      for await (const page of scan(this.#redis, outboxPrefix)) {
        for (const key of page) this.#add(key);
        if (this.#keys.size < this.#maxTracked) continue;
        this.#mayHaveMore = true;
        break;
      }
    } catch (error) {
      this.#mayHaveMore = true;
      throw error;
    } finally {
      const now = performance.now();
      this.#scanAgainAt = now + (now - startedAt) / shareOfTime;
    }
  }
}

/** Returns a default if a key is of another type. Rethrows any other error. */
const unlessOther =
  <T>(key: string, empty: T) =>
  (error: Error): T =>
    isRefusal(error, "WRONGTYPE") ? empty : redisFault(error, key);

const entryOf = (key: string, bytes: Buffer): OutboxEntry => {
  const text = bytes.toString();
  const record = changeRecordIn(text);
  return { handle: { key, bytes } satisfies Handle, records: record && [record], text };
};
