import type { Instant } from "../domain/evaluation-context.ts";
import type { Item, KnownItem, PollState } from "../domain/item.ts";
import type { ItemFeed, Reading } from "../domain/item-feed.ts";
import type { ItemStore } from "../domain/item-store.ts";
import type { Lease } from "../domain/lease.ts";
import type { ProvidedItems } from "../domain/provided-items.ts";
import type { Timeline } from "../domain/timeline.ts";
import { KnownItems } from "./known-items.ts";

/** A partner, and where what is known of its items is kept. */
export type Polled = {
  /** The name of the source. */
  readonly name: string;
  readonly feed: ItemFeed;
  readonly store: ItemStore;
  readonly lease: Lease;
  readonly everyMs: number;
  /** The most items that are kept; what the partner lists beyond them is not taken. */
  readonly mostItems: number;
  readonly now: () => Instant;
};

/** Told of what befalls the reading of a partner's document, and not of each try. */
export type PollListener = {
  readonly failed: (reason: string) => void;
  readonly recovered: () => void;
  /** Some items cannot be used; told when their number changes. */
  readonly foundInvalid: (state: PollState) => void;
};

const lookEveryMs = 1_000;

/**
 * Reads a partner's document at its times, and keeps what it says of items. Of all processes on a store one does so at a time; the others
 * learn of it within some seconds.
 */
export class PollItems implements ProvidedItems {
  readonly #polled: Polled;
  readonly #listener: PollListener;
  readonly #known: KnownItems;
  readonly #stopping = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  #polling: Promise<PollState> | undefined;
  #failing = false;
  #invalid = 0;

  constructor(polled: Polled, listener: PollListener) {
    this.#polled = polled;
    this.#listener = listener;
    this.#known = new KnownItems(polled.name, polled.store);
  }

  get generation(): number {
    return this.#known.generation;
  }

  get state(): PollState | undefined {
    return this.#known.state;
  }

  get size(): number {
    return this.#known.timeline?.size ?? 0;
  }

  known(): Timeline | Promise<Timeline> {
    return this.#known.timeline ?? this.#known.refresh();
  }

  /** Looks every second from now on whether it is this process's turn, and what others have read. */
  start(): void {
    this.#plan(0);
  }

  /** Ends, also what is under way; another process need not wait for its turn. */
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
      this.#looking = this.#look().finally(() => this.#plan(lookEveryMs));
    }, ms);
  }

  /** A store that does not answer is asked again in a second; what it is about is told of by all that ask it. */
  async #look(): Promise<void> {
    try {
      await this.#known.refresh();
      // Also while it is read, as that may take longer than the lease.
      if ((await this.#polled.lease.hold()) && this.#isDue()) this.poll().catch(() => {});
    } catch {}
  }

  #isDue(): boolean {
    const triedAt = this.#known.state?.triedAt;
    const now = this.#polled.now();
    // A clock that was set back must not end all reading.
    return triedAt === undefined || now - triedAt >= this.#polled.everyMs || triedAt > now;
  }

  async #poll(): Promise<PollState> {
    const { name, feed, store, now } = this.#polled;
    const timeline = await this.#known.refresh();
    const before = this.#known.state;
    const triedAt = now();
    const state = await this.#read(timeline, before, triedAt).catch((error): PollState => {
      this.#stopping.signal.throwIfAborted();
      return { ...(before ?? untried), triedAt, failure: error instanceof Error ? error.message : String(error) };
    });
    this.#tell(state);
    const kept = { ...state, breaker: feed.breaker };
    await store.keepState(name, kept);
    await this.#known.refresh();
    return kept;
  }

  async #read(timeline: Timeline, before: PollState | undefined, triedAt: Instant): Promise<PollState> {
    const reading = await this.#polled.feed.read(before?.validators ?? null, this.#stopping.signal);
    const success = { triedAt, succeededAt: triedAt, failure: null, breaker: "closed" } as const;
    if (!reading) return { ...(before ?? untried), ...success };
    const { listed, refused } = await this.#take(reading, timeline, before?.succeededAt ?? triedAt);
    const full = { id: null, fault: `${this.#polled.mostItems} items are known, and no more are taken` };
    return {
      ...success,
      listed,
      invalid: reading.invalid + refused,
      faults: refused > 0 ? [...reading.faults, full] : reading.faults,
      validators: reading.validators,
    };
  }

  /** Puts into the store what the document changes, some hundred at a time. */
  async #take(reading: Reading, timeline: Timeline, lastListedAt: Instant) {
    const { name, store, mostItems } = this.#polled;
    const listed = new Set(reading.invalidIds);
    let [taken, refused, room] = [0, 0, mostItems - timeline.size];
    for await (const items of reading.items) {
      const changed: KnownItem[] = [];
      for (const item of items) {
        listed.add(item.id);
        const before = timeline.get(item.id);
        if (!before && room <= 0) {
          refused += 1;
          continue;
        }
        if (!before) room -= 1;
        taken += 1;
        const after = knownItem(item, before);
        if (!isSame(before, after)) changed.push(after);
      }
      if (changed.length > 0) await store.put(name, changed);
    }
    const gone = timeline.all().filter((item) => item.lastListedAt === null && !listed.has(item.id));
    for (let from = 0; from < gone.length; from += atOnce) {
      const items = gone.slice(from, from + atOnce).map((item) => ({ ...item, lastListedAt }));
      await store.put(name, items);
    }
    return { listed: taken, refused };
  }

  #tell({ failure, ...state }: PollState): void {
    if (failure !== null && !this.#failing) this.#listener.failed(failure);
    if (failure === null && this.#failing) this.#listener.recovered();
    this.#failing = failure !== null;
    if (failure === null && state.invalid > 0 && state.invalid !== this.#invalid) {
      this.#listener.foundInvalid({ failure, ...state });
    }
    this.#invalid = state.invalid;
  }
}

const atOnce = 100;

const untried: PollState = {
  triedAt: 0,
  succeededAt: null,
  failure: null,
  breaker: "closed",
  listed: 0,
  invalid: 0,
  faults: [],
  validators: null,
};

const knownItem = (item: Item, before: KnownItem | undefined): KnownItem => ({
  ...item,
  wasOffered: item.isOffered || (before?.wasOffered ?? false),
  lastListedAt: null,
});

/** Both were made by the same steps, so that their members are in one order. */
const isSame = (before: KnownItem | undefined, after: KnownItem): boolean =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(after);
