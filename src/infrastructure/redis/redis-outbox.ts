import type { Redis } from "ioredis";
import type { ChangeFeed } from "../../domain/change-feed.ts";
import type { Backlog, Outbox, OutboxEntry } from "../../domain/outbox.ts";
import { changeRecordIn } from "../change-record.ts";
import { isRefusal, redisFault } from "./redis-fault.ts";
import { outboxPrefix } from "./redis-keys.ts";
import { scan } from "./scan.ts";

/** So many lists are remembered; where there are more, the rest is looked for when these are empty. */
const mostKnown = 100_000;
/** Looking for lists takes at most this part of the time. */
const shareOfTime = 1 / 10;
/** So many lists are asked how long they are. */
const mostMeasured = 1_000;

/** Where an entry stands: bytes, as it need not be text. */
type Handle = { readonly key: string; readonly bytes: Buffer };

/**
 * Reads what the scripts recorded: a list a key. Which lists hold something is told by a feed of its own, and looked for among all
 * keys when an epoch of the feed begins.
 */
export class RedisOutbox implements Outbox {
  readonly #redis: Redis;
  readonly #feed: ChangeFeed & AsyncDisposable;
  /** The lists that may hold something, those that were told of first before others, each with when it was told of last. */
  readonly #known = new Map<string, number>();
  readonly #listeners: (() => void)[] = [];
  #told = 0;
  /** Whether there may be lists that are not known. */
  #mayHaveMore = true;
  #looking: Promise<void> | undefined;
  #lookAgainAt = Number.NEGATIVE_INFINITY;
  #lookAgain: NodeJS.Timeout | undefined;
  /** The most entries that are asked for at once: less where the last ones took too long. */
  #pace = Number.POSITIVE_INFINITY;

  /** Disposes of the feed, which tells of the keys that begin with `tidegate:outbox:`. */
  constructor(redis: Redis, feed: ChangeFeed & AsyncDisposable) {
    this.#redis = redis;
    this.#feed = feed;
    feed.listen((key) => {
      this.#remember(key);
      this.#notify();
    });
  }

  async read(limit: number): Promise<readonly OutboxEntry[]> {
    await this.#look();
    while (this.#known.size > 0) {
      const most = Math.min(limit, this.#pace);
      const lists = this.#known.entries().take(most).toArray();
      const entries = await this.#readFrom(lists, Math.floor(most / lists.length));
      if (entries.length > 0) return entries;
    }
    return [];
  }

  async remove(entries: readonly OutboxEntry[]): Promise<void> {
    const handles = entries.map(({ handle }) => handle as Handle);
    await Promise.all(handles.map(({ key, bytes }) => this.#redis.lrem(key, 1, bytes))).catch(redisFault);
  }

  /** Of more than 1,000 lists it asks 1,000, and counts one entry for each of the others. */
  async backlog(): Promise<Backlog> {
    await this.#look();
    const lists = [...this.#known.keys().take(mostMeasured)];
    const rest = this.#known.size - lists.length;
    const [lengths, oldest] = await Promise.all([
      Promise.all(lists.map((key) => this.#redis.llen(key).catch(unlessNoList(0)))),
      Promise.all(lists.map((key) => this.#redis.lindex(key, 0).catch(unlessNoList(null)))),
    ]);
    const times = oldest.flatMap((text) => changeRecordIn(text ?? "")?.at ?? []);
    return {
      entries: lengths.reduce((sum, length) => sum + length, rest),
      oldest: times.length > 0 ? Math.min(...times) : undefined,
    };
  }

  listen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#lookAgain);
    await this.#feed[Symbol.asyncDispose]();
  }

  async #readFrom(lists: readonly (readonly [string, number])[], most: number): Promise<readonly OutboxEntry[]> {
    try {
      const read = await Promise.all(
        lists.map(([key]) => this.#redis.lrangeBuffer(key, 0, most - 1).catch(unlessNoList<Buffer[]>([]))),
      );
      this.#pace *= 2;
      return lists.flatMap(([key, told], index) => {
        const found = read[index] ?? [];
        if (found.length === 0 && this.#known.get(key) === told) this.#known.delete(key);
        return found.map((bytes) => entryOf(key, bytes));
      });
    } catch (error) {
      this.#pace = Math.max(1, Math.floor(Math.min(this.#pace, lists.length * most) / 2));
      throw error;
    }
  }

  #remember(key: string | undefined): void {
    this.#told += 1;
    if (key !== undefined && (this.#known.has(key) || this.#known.size < mostKnown)) this.#known.set(key, this.#told);
    else this.#mayHaveMore = true;
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Looks for lists, where there may be more than are known. Where it did so a moment ago, the listeners are called later. */
  #look(): Promise<void> {
    if (this.#looking) return this.#looking;
    if (!this.#mayHaveMore || this.#known.size >= mostKnown) return Promise.resolve();
    const wait = this.#lookAgainAt - performance.now();
    if (wait > 0) {
      this.#lookAgain ??= setTimeout(() => {
        this.#lookAgain = undefined;
        this.#notify();
      }, wait).unref();
      return Promise.resolve();
    }
    this.#looking = this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const startedAt = performance.now();
    this.#mayHaveMore = false;
    try {
      for await (const page of scan(this.#redis, outboxPrefix, "list")) {
        for (const key of page) this.#remember(key);
        if (this.#known.size < mostKnown) continue;
        this.#mayHaveMore = true;
        break;
      }
    } catch (error) {
      this.#mayHaveMore = true;
      throw error;
    } finally {
      const now = performance.now();
      this.#lookAgainAt = now + (now - startedAt) / shareOfTime;
    }
  }
}

/** What stands for an answer where a key is no list; throws where that is not why there is none. */
const unlessNoList =
  <T>(empty: T) =>
  (error: Error): T =>
    isRefusal(error, "WRONGTYPE") ? empty : redisFault(error);

const entryOf = (key: string, bytes: Buffer): OutboxEntry => {
  const text = bytes.toString();
  return { handle: { key, bytes } satisfies Handle, record: changeRecordIn(text), text };
};
