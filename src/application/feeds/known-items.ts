import type { Revision } from "../../domain/admin/change.ts";
import type { ItemsSnapshot } from "../../domain/feeds/feed-items.ts";
import type { KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { ItemStore } from "../../domain/feeds/item-store.ts";
import { Timeline } from "../../domain/feeds/timeline.ts";
import { shared } from "../async/shared.ts";
import { maxInRecord, type RecordItems } from "./record-items.ts";

/** Maximum number of items per read, and per insertion into the timeline; each blocks for some milliseconds. */
const atOnce = 500;
const putAtOnce = 5_000;
/** Maximum number of items per write. */
const writtenAtOnce = 100;

/** Items in memory instead of the store: read during an outage (`isAhead`), or restored from an earlier process. */
type InMemoryItems = { readonly timeline: Timeline; state: PollState | undefined; isAhead: boolean };

/**
 * The items of a feed, in memory: those of the store, or, while the store is unavailable, those that were read without
 * it. The latter are written to the store later, unless another process has polled the feed since.
 */
export class KnownItems {
  /** Increases with each change of the items. */
  generation = 0;
  /** Whether a poll is in progress. All its items must go to the same store. */
  isBeingRead = false;
  readonly #feed: string;
  readonly #store: ItemStore;
  readonly #recordItems: RecordItems;
  #stored: Timeline | undefined;
  #storedState: PollState | undefined;
  #inMemory: InMemoryItems | undefined;
  #revision: Revision | undefined;

  constructor(feed: string, store: ItemStore, recordItems: RecordItems) {
    this.#feed = feed;
    this.#store = store;
    this.#recordItems = recordItems;
  }

  /** `undefined` until all items were read once. */
  get timeline(): Timeline | undefined {
    return this.#inMemory?.timeline ?? this.#stored;
  }

  get state(): PollState | undefined {
    return this.#inMemory ? this.#inMemory.state : this.#storedState;
  }

  /** Whether there is data that the store lacks. */
  get isAhead(): boolean {
    return this.#inMemory?.isAhead ?? false;
  }

  /**
   * Reads the changes since the last call. Concurrent calls share a read. Rejects if the store does not respond, and
   * keeps the present items.
   */
  readonly refresh = shared(() => this.#read());

  /** Records items and writes them to the store; or into memory, from the first write that fails. */
  async put(items: readonly KnownItem[]): Promise<void> {
    if (await this.#isStored(() => this.#write(items))) return;
    this.#startInMemory().timeline.put(items);
    this.generation += 1;
  }

  /** Stores the poll state, as `put` stores items. */
  async saveState(state: PollState): Promise<void> {
    if (!(await this.#isStored(() => this.#store.saveState(this.#feed, state)))) this.#startInMemory().state = state;
  }

  /** Writes the items that were read during an outage to the store. Rejects if the store does not respond. */
  async writeBack(): Promise<void> {
    await this.refresh();
    const inMemory = this.#inMemory;
    if (!inMemory?.isAhead) return;
    const stored = this.#stored ?? new Timeline();
    const changes = unstoredChanges(inMemory.timeline, stored, inMemory.state?.succeededAt ?? null);
    await this.#write(changes);
    if (inMemory.state) await this.#store.saveState(this.#feed, inMemory.state);
    await this.refresh();
  }

  /** The snapshot; `undefined` if nothing was read. */
  snapshot(): ItemsSnapshot | undefined {
    const { timeline, state, isAhead } = this;
    return timeline && { items: timeline.all(), state, isAhead };
  }

  /**
   * Restores the snapshot of an earlier process, used while the store does not respond. Returns false, and does
   * nothing, if items were read already.
   */
  restore({ items, state, isAhead }: ItemsSnapshot): boolean {
    if (this.timeline) return false;
    const timeline = new Timeline();
    timeline.put(items);
    this.#inMemory = { timeline, state, isAhead };
    this.generation += 1;
    return true;
  }

  /** The record comes first: an item whose write fails then differs again, and is recorded again. */
  async #write(items: readonly KnownItem[]): Promise<void> {
    if (!this.#stored) await this.refresh();
    const stored = this.#stored ?? new Timeline();
    for (let start = 0; start === 0 || start < items.length; start += maxInRecord) {
      const some = items.slice(start, start + maxInRecord);
      await this.#recordItems(some, stored, this.#revision?.epoch);
      for (let from = 0; from < some.length; from += writtenAtOnce) {
        await this.#store.put(this.#feed, some.slice(from, from + writtenAtOnce));
      }
      stored.put(some);
    }
  }

  async #isStored(write: () => Promise<void>): Promise<boolean> {
    if (this.#inMemory) return false;
    return write().then(
      () => true,
      () => false,
    );
  }

  #startInMemory(): InMemoryItems {
    this.#inMemory ??= { timeline: this.#stored?.copy() ?? new Timeline(), state: this.#storedState, isAhead: true };
    this.#inMemory.isAhead = true;
    return this.#inMemory;
  }

  async #read(): Promise<Timeline> {
    let revision = this.#revision;
    let timeline = this.#stored ?? new Timeline();
    let read: KnownItem[] = [];
    while (true) {
      const changes = await this.#store.since(this.#feed, revision, atOnce);
      // If the store lost data or was restored, its present content counts.
      if (revision && changes.revision?.epoch !== revision.epoch) [timeline, read] = [new Timeline(), []];
      read.push(...changes.items);
      revision = changes.revision;
      this.#storedState = changes.state;
      const isLast = changes.items.length < atOnce;
      if (isLast || read.length >= putAtOnce) {
        if (read.length > 0 || timeline !== this.#stored) this.generation += 1;
        timeline.put(read.splice(0));
      }
      if (isLast) break;
      // Embedded stores answer without a pause.
      await new Promise((resume) => void setImmediate(resume));
    }
    this.#revision = revision;
    this.#stored = timeline;
    this.#dropInMemory();
    return this.timeline ?? timeline;
  }

  /** Returns to the items of the store, unless a later poll was read without it. */
  #dropInMemory(): void {
    const { isAhead, state } = this.#inMemory ?? {};
    if (this.isBeingRead) return;
    if (isAhead && timeOf(state) > timeOf(this.#storedState)) return;
    if (this.#inMemory) this.generation += 1;
    this.#inMemory = undefined;
  }
}

const timeOf = (state: PollState | undefined): number => state?.succeededAt ?? Number.NEGATIVE_INFINITY;

/** The items read during an outage that the store lacks, and the items of the store that are no longer listed. */
function unstoredChanges(read: Timeline, stored: Timeline, readAt: number | null): readonly KnownItem[] {
  const changed = read.all().flatMap((item) => {
    const previous = stored.get(item.id);
    const after = { ...item, wasOffered: item.wasOffered || (previous?.wasOffered ?? false) };
    return isSameItem(previous, after) ? [] : [after];
  });
  const unlisted = stored.all().filter((item) => item.lastListedAt === null && !read.get(item.id));
  return [...changed, ...unlisted.map((item) => ({ ...item, lastListedAt: readAt }))];
}

/** Both are built by the same code, so the order of members is the same. */
export const isSameItem = (previous: KnownItem | undefined, after: KnownItem): boolean =>
  previous !== undefined && JSON.stringify(previous) === JSON.stringify(after);
