import type { Redis } from "ioredis";
import { maxInBatch } from "../../../domain/admin/batch.ts";
import type { InvalidationFeed } from "../../../domain/evaluation/invalidation-feed.ts";
import type { Backlog, Outbox, OutboxEntry } from "../../../domain/events/outbox.ts";
import { changeRecordIn } from "../../stores/change-record.ts";
import { headLength, headOf, loadEpochBefore, loadedRecordsIn } from "../import/load-entry.ts";
import { isErrorReply, redisFault } from "../redis-fault.ts";
import { isLoadEntry, loadEntryKey, outboxPrefix } from "../redis-keys.ts";
import { scan } from "../scan.ts";

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
 *
 * Takes ownership of the feed, which covers the keys with the prefix `tidegate:outbox:`. Stores at most `maxTracked`
 * lists. If there are more, it scans for the rest when these are empty.
 */
export function redisOutbox(
  redis: Redis,
  invalidations: InvalidationFeed & AsyncDisposable,
  maxTracked = 100_000,
): Outbox {
  /** The lists that may contain records, in order of their first notification, with the number of the last one. */
  const keys = new Map<string, number>();
  const listeners: (() => void)[] = [];
  let notifications = 0;
  /** Whether there may be unknown lists. */
  let mayHaveMore = true;
  let scanning: Promise<void> | undefined;
  let scanAgainAt = Number.NEGATIVE_INFINITY;
  let scanTimer: NodeJS.Timeout | undefined;
  /** Maximum number of entries per read. Halved after a failed read, doubled after a successful one. */
  let pace = Number.POSITIVE_INFINITY;
  invalidations.subscribe((key) => {
    add(key);
    notify();
  });

  /**
   * Measures up to 200 lists or load entries, and adds `assumedEntries` for each further one. Continues with further
   * ones while at least half of those measured are empty.
   */
  async function measure(areLoads: boolean, backlogOf: (key: string) => Promise<Backlog>, assumedEntries: number) {
    while (true) {
      const all = keys
        .entries()
        .filter(([key]) => isLoadEntry(key) === areLoads)
        .toArray();
      const some = all.slice(0, maxMeasured);
      const measured = await Promise.all(some.map(([key]) => backlogOf(key)));
      const empty = some.filter((_, index) => measured[index]?.entries === 0);
      for (const [key, notification] of empty) drop(key, notification);
      const rest = all.length - some.length;
      if (rest > 0 && empty.length >= some.length / 2) continue;
      return { measured, entries: measured.reduce((sum, { entries }) => sum + entries, rest * assumedEntries) };
    }
  }

  /** Drops a key, unless a newer notification has arrived. */
  function drop(key: string, notification: number): void {
    if (keys.get(key) === notification) keys.delete(key);
  }

  async function ofList(key: string): Promise<Backlog> {
    const [entries, oldest] = await Promise.all([
      redis.llen(key).catch(unlessOther(key, 0)),
      redis.lindex(key, 0).catch(unlessOther(key, null)),
    ]);
    return { entries, oldest: changeRecordIn(oldest ?? "")?.at };
  }

  async function ofLoad(key: string): Promise<Backlog> {
    const text = await redis.getrange(key, 0, headLength).catch(unlessOther(key, ""));
    const head = headOf(text);
    return { entries: head?.size ?? (text === "" ? 0 : 1), oldest: head?.at };
  }

  async function readLoads(max: number): Promise<readonly OutboxEntry[]> {
    const loads = keys.entries().filter(([key]) => isLoadEntry(key));
    const read = loads.take(max).map(async ([key, notification]): Promise<readonly OutboxEntry[]> => {
      const text = await redis.get(key).catch(unlessOther(key, null));
      if (text !== null) return [{ handle: { key } satisfies Handle, records: loadedRecordsIn(text), text }];
      drop(key, notification);
      return [];
    });
    return (await Promise.all(read)).flat();
  }

  async function readFrom(lists: readonly (readonly [string, number])[], max: number): Promise<readonly OutboxEntry[]> {
    try {
      const read = await Promise.all(
        lists.map(([key]) => redis.lrangeBuffer(key, 0, max - 1).catch(unlessOther<Buffer[]>(key, []))),
      );
      pace *= 2;
      const entries = read.map((found, index) => found.map((bytes) => entryOf(lists[index]?.[0] ?? "", bytes)));
      const loads = await Promise.all(entries.map(firstAfterLoad));
      return lists.flatMap(([key, notification], index) => {
        const found = entries[index] ?? [];
        if (found.length === 0) drop(key, notification);
        const waiting = loads[index];
        if (!waiting) return found;
        postpone(key, waiting.load);
        return found.slice(0, waiting.index);
      });
    } catch (error) {
      pace = Math.max(1, Math.floor(Math.min(pace, lists.length * max) / 2));
      throw error;
    }
  }

  /** Index of the first entry that follows a pending load of its item, with the key of that load. */
  async function firstAfterLoad(entries: readonly OutboxEntry[]) {
    const possible = entries.flatMap(({ records }, index) => {
      const epoch = records?.[0] && loadEpochBefore(records[0]);
      return epoch === undefined ? [] : [{ index, load: loadEntryKey(epoch) }];
    });
    const lengths = await Promise.all(possible.map(({ load }) => redis.strlen(load).catch(unlessOther(load, 0))));
    return possible.find((_, index) => (lengths[index] ?? 0) > 0);
  }

  /** Moves a list to the end, and adds a load. */
  function postpone(list: string, load: string): void {
    const notification = keys.get(list) ?? notifications;
    keys.delete(list);
    keys.set(list, notification);
    if (!keys.has(load)) keys.set(load, notification);
  }

  function add(key: string | undefined): void {
    notifications += 1;
    if (key !== undefined && (keys.has(key) || keys.size < maxTracked)) keys.set(key, notifications);
    else mayHaveMore = true;
  }

  function notify(): void {
    for (const listener of listeners) listener();
  }

  /** Scans for lists if there may be unknown ones. If the last scan is too recent, the listeners are called later. */
  function scanIfDue(): Promise<void> {
    if (scanning) return scanning;
    if (!mayHaveMore || keys.size >= maxTracked) return Promise.resolve();
    const wait = scanAgainAt - performance.now();
    if (wait > 0) {
      scanTimer ??= setTimeout(() => {
        scanTimer = undefined;
        notify();
      }, wait).unref();
      return Promise.resolve();
    }
    scanning = scanNow().finally(() => {
      scanning = undefined;
    });
    return scanning;
  }

  async function scanNow(): Promise<void> {
    const startedAt = performance.now();
    mayHaveMore = false;
    try {
      for await (const page of scan(redis, outboxPrefix)) {
        for (const key of page) add(key);
        if (keys.size < maxTracked) continue;
        mayHaveMore = true;
        break;
      }
    } catch (error) {
      mayHaveMore = true;
      throw error;
    } finally {
      const now = performance.now();
      scanAgainAt = now + (now - startedAt) / shareOfTime;
    }
  }

  return {
    async read(limit) {
      await scanIfDue();
      while (keys.size > 0) {
        const loaded = await readLoads(Math.max(1, Math.floor(limit / maxInBatch)));
        const max = Math.min(limit, pace);
        const lists = keys
          .entries()
          .filter(([key]) => !isLoadEntry(key))
          .take(max)
          .toArray();
        const entries = lists.length > 0 ? await readFrom(lists, Math.floor(max / lists.length)) : [];
        if (loaded.length + entries.length > 0) return [...loaded, ...entries];
      }
      return [];
    },
    async remove(entries) {
      const handles = entries.map(({ handle }) => handle as Handle);
      await Promise.all(
        handles.map(({ key, bytes }) =>
          (bytes ? redis.lrem(key, 1, bytes) : redis.del(key)).catch((error) => redisFault(error, key)),
        ),
      );
    },
    /**
     * Exact for up to 200 lists and 200 load entries. Beyond, it counts one record per list, and the maximum per load.
     * Drops lists that another process has emptied.
     */
    async backlog() {
      await scanIfDue();
      const parts = await Promise.all([measure(false, ofList, 1), measure(true, ofLoad, maxInBatch)]);
      const times = parts.flatMap(({ measured }) => measured.flatMap(({ oldest }) => oldest ?? []));
      return {
        entries: parts.reduce((sum, { entries }) => sum + entries, 0),
        oldest: times.length > 0 ? Math.min(...times) : undefined,
      };
    },
    listen: (listener) => void listeners.push(listener),
    async [Symbol.asyncDispose]() {
      clearTimeout(scanTimer);
      await invalidations[Symbol.asyncDispose]();
    },
  };
}

/** Returns a default if a key is of another type. Rethrows any other error. */
const unlessOther =
  <T>(key: string, empty: T) =>
  (error: Error): T =>
    isErrorReply(error, "WRONGTYPE") ? empty : redisFault(error, key);

const entryOf = (key: string, bytes: Buffer): OutboxEntry => {
  const text = bytes.toString();
  const record = changeRecordIn(text);
  return { handle: { key, bytes } satisfies Handle, records: record && [record], text };
};
