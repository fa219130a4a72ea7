import { errorMessage } from "../../domain/error-message.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Lease } from "../../domain/events/lease.ts";
import type { FeedItems, ItemsSnapshot } from "../../domain/feeds/feed-items.ts";
import type { Item, KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { ItemStore } from "../../domain/feeds/item-store.ts";
import type { FeedToPoll, Reading, RemoteFeed } from "../../domain/feeds/remote-feed.ts";
import { Timeline } from "../../domain/feeds/timeline.ts";
import { isSameItem, KnownItems } from "./known-items.ts";
import { maxInRecord, type RecordItems } from "./record-items.ts";

/** A polled feed, with the stores of its items and records. */
export type PolledFeed = FeedToPoll & {
  /** The name of the source. */
  readonly name: string;
  /** The configured name of the store's connection. */
  readonly connection: string;
  readonly store: ItemStore;
  readonly records: RecordItems;
  readonly lease: Lease;
  readonly now: () => Instant;
};

/** Notified of changes of the poll state, not of each attempt. */
export type PollListener = {
  readonly failed: (reason: string) => void;
  readonly recovered: () => void;
  /** Some items are invalid. Called when their number changes. */
  readonly foundInvalid: (state: PollState) => void;
};

const checkEveryMs = 1_000;
/** Failed polls in a row after which another process may poll. Fewer than open the circuit of a feed. */
const maxFailures = 2;
/** Time for another process to acquire the lease, in milliseconds. Longer than its pause between two checks. */
const passForMs = 3_000;

/**
 * Feed poller: polls a feed regularly and stores its items. One process on a store polls at a time; the others read the
 * items within some seconds. After failed polls another process may reach the feed, so the lease passes on. While the
 * store is unavailable, each process polls for itself, into memory.
 */
export class PollFeed implements FeedItems {
  readonly #polled: PolledFeed;
  readonly #listener: PollListener;
  readonly #items: KnownItems;
  readonly #stopping = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  #polling: Promise<PollState> | undefined;
  #failing = false;
  /** Failed polls in a row. */
  #failures = 0;
  /** Monotonic time until which another process may acquire the lease, in milliseconds. */
  #passesUntil = Number.NEGATIVE_INFINITY;
  #invalid = 0;

  constructor(polled: PolledFeed, listener: PollListener) {
    this.#polled = polled;
    this.#listener = listener;
    this.#items = new KnownItems(polled.name, polled.store, polled.records);
  }

  get connection(): string {
    return this.#polled.connection;
  }

  get maxFetchMs(): number {
    return this.#polled.feed.maxFetchMs;
  }

  get generation(): number {
    return this.#items.generation;
  }

  get state(): PollState | undefined {
    return this.#items.state;
  }

  get size(): number {
    return this.#items.timeline?.size ?? 0;
  }

  known(): Timeline | Promise<Timeline> {
    return this.#items.timeline ?? this.#items.refresh();
  }

  snapshot(): ItemsSnapshot | undefined {
    return this.#items.snapshot();
  }

  restore(snapshot: ItemsSnapshot): boolean {
    return this.#items.restore(snapshot);
  }

  /** Starts a loop: every second, checks whether a poll is due and reads the changes of other processes. */
  start(): void {
    this.#plan(0);
  }

  /** Stops, aborts a poll in progress, and releases the lease. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#polling?.catch(() => {});
    await this.#polled.lease.release().catch(() => {});
  }

  poll(): Promise<PollState> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  #plan(ms: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#check().finally(() => this.#plan(checkEveryMs));
    }, ms);
  }

  async #check(): Promise<void> {
    if ((await this.#mayPoll()) && this.#isDue() && !this.#stopping.signal.aborted) this.poll().catch(() => {});
  }

  /** While the store does not respond, each process polls. Other callers of the store report the outage. */
  async #mayPoll(): Promise<boolean> {
    try {
      await this.#items.refresh();
      if (performance.now() < this.#passesUntil) return false;
      // Also renewed during a poll, which may take longer than the lease.
      const isOurs = await this.#polled.lease.hold();
      if (isOurs && this.#items.isAhead && !this.#polling) await this.#items.writeBack();
      return isOurs;
    } catch {
      return true;
    }
  }

  #isDue(): boolean {
    const triedAt = this.#items.state?.triedAt;
    const now = this.#polled.now();
    // A clock that was set back must not stop the polling.
    return triedAt === undefined || now - triedAt >= this.#polled.everyMs || triedAt > now;
  }

  async #poll(): Promise<PollState> {
    const { feed, now } = this.#polled;
    await this.#items.writeBack().catch(() => {});
    this.#items.isBeingRead = true;
    try {
      return await this.#pollOnce(feed, now());
    } finally {
      this.#items.isBeingRead = false;
      await this.#items.refresh().catch(() => {});
      if (this.#failures >= maxFailures) await this.#passLease();
    }
  }

  /** Leaves the next polls to another process, if there is one. */
  async #passLease(): Promise<void> {
    this.#failures = 0;
    this.#passesUntil = performance.now() + passForMs;
    await this.#polled.lease.release().catch(() => {});
  }

  async #pollOnce(feed: RemoteFeed, triedAt: Instant): Promise<PollState> {
    const timeline = this.#items.timeline ?? new Timeline();
    const previous = this.#items.state;
    // Absent from states that earlier versions stored.
    if (previous?.pausedUntil) feed.pause(previous.pausedUntil);
    const state = await this.#read(timeline, previous, triedAt).catch((error): PollState => {
      this.#stopping.signal.throwIfAborted();
      return { ...(previous ?? noState), triedAt, failure: errorMessage(error) };
    });
    this.#report(state);
    this.#failures = state.failure === null ? 0 : this.#failures + 1;
    const snapshot = { ...state, breaker: feed.breaker, pausedUntil: feed.pausedUntil };
    await this.#items.saveState(snapshot);
    return snapshot;
  }

  async #read(timeline: Timeline, previous: PollState | undefined, triedAt: Instant): Promise<PollState> {
    const reading = await this.#polled.feed.read(previous?.validators ?? null, this.#stopping.signal);
    const success = { triedAt, succeededAt: triedAt, failure: null, breaker: "closed", pausedUntil: null } as const;
    if (!reading) {
      await this.#items.put([]);
      return { ...(previous ?? noState), ...success };
    }
    const { listed, rejected } = await this.#store(reading, timeline, previous?.succeededAt ?? triedAt);
    const full = { id: null, fault: `${this.#polled.maxItems} items are stored, the maximum (raise maxItems)` };
    return {
      ...success,
      listed,
      invalid: reading.invalidCount + rejected,
      faults: rejected > 0 ? [...reading.faults, full] : reading.faults,
      validators: reading.validators,
    };
  }

  /** Stores the changes of the document, some hundred items at a time. */
  async #store(reading: Reading, timeline: Timeline, lastListedAt: Instant) {
    const { maxItems } = this.#polled;
    const listed = new Set(reading.invalidIds);
    let [accepted, rejected, free] = [0, 0, maxItems - timeline.size];
    let changed: KnownItem[] = [];
    for await (const items of reading.items) {
      for (const item of items) {
        listed.add(item.id);
        const previous = timeline.get(item.id);
        if (!previous && free <= 0) {
          rejected += 1;
          continue;
        }
        if (!previous) free -= 1;
        accepted += 1;
        const after = knownItem(item, previous);
        if (!isSameItem(previous, after)) changed.push(after);
      }
      if (changed.length >= maxInRecord) await this.#items.put(changed.splice(0, maxInRecord));
    }
    const unlisted = timeline.all().filter((item) => item.lastListedAt === null && !listed.has(item.id));
    changed = [...changed, ...unlisted.map((item) => ({ ...item, lastListedAt }))];
    // Even without changes: there may be no record yet.
    await this.#items.put(changed);
    return { listed: accepted, rejected };
  }

  #report({ failure, ...state }: PollState): void {
    if (failure !== null && !this.#failing) this.#listener.failed(failure);
    if (failure === null && this.#failing) this.#listener.recovered();
    this.#failing = failure !== null;
    if (failure === null && state.invalid > 0 && state.invalid !== this.#invalid) {
      this.#listener.foundInvalid({ failure, ...state });
    }
    this.#invalid = state.invalid;
  }
}

const noState: PollState = {
  triedAt: 0,
  succeededAt: null,
  failure: null,
  breaker: "closed",
  pausedUntil: null,
  listed: 0,
  invalid: 0,
  faults: [],
  validators: null,
};

const knownItem = (item: Item, previous: KnownItem | undefined): KnownItem => ({
  ...item,
  wasOffered: item.isOffered || (previous?.wasOffered ?? false),
  lastListedAt: null,
});
