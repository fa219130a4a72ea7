import type { Revision } from "../../domain/admin/change.ts";
import type { ItemsKept } from "../../domain/feeds/feed-items.ts";
import type { KnownItem, PollState } from "../../domain/feeds/item.ts";
import type { ItemStore } from "../../domain/feeds/item-store.ts";
import { Timeline } from "../../domain/feeds/timeline.ts";
import { mostInRecord, type RecordItems } from "./record-items.ts";

/** So many are read at once, and put in their places at once: others wait for some milliseconds. */
const atOnce = 500;
const putAtOnce = 5_000;
/** So many are written at once. */
const writtenAtOnce = 100;

/** What is known beside the store: what was read while it was away (`isAhead`), or what an earlier process knew. */
type Beside = { readonly timeline: Timeline; state: PollState | undefined; isAhead: boolean };

/**
 * The items of a feed, in memory: as the store has them, or, while it does not answer, as they were read without it. What was read
 * without it is brought into the store later, unless another process has read the document since.
 */
export class KnownItems {
  /** Grows with each change of what is known. */
  generation = 0;
  /** Whether a document is being read, whose items must all go to one place. */
  isBeingRead = false;
  readonly #provider: string;
  readonly #store: ItemStore;
  readonly #records: RecordItems;
  #stored: Timeline | undefined;
  #storedState: PollState | undefined;
  #beside: Beside | undefined;
  #revision: Revision | undefined;
  #underway: Promise<Timeline> | undefined;

  constructor(provider: string, store: ItemStore, records: RecordItems) {
    this.#provider = provider;
    this.#store = store;
    this.#records = records;
  }

  /** `undefined` until all were read once. */
  get timeline(): Timeline | undefined {
    return this.#beside?.timeline ?? this.#stored;
  }

  get state(): PollState | undefined {
    return this.#beside ? this.#beside.state : this.#storedState;
  }

  /** Whether something was read that the store does not have. */
  get isAhead(): boolean {
    return this.#beside?.isAhead ?? false;
  }

  /** Reads what came since the last time. Callers that come meanwhile share that. Rejects where the store does not answer; what was known stays. */
  refresh(): Promise<Timeline> {
    this.#underway ??= this.#read().finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  /** Records items and puts them into the store; or into memory, from the first that the store does not take on. */
  async put(items: readonly KnownItem[]): Promise<void> {
    if (await this.#isStored(() => this.#write(items))) return;
    this.#aside().timeline.put(items);
    this.generation += 1;
  }

  /** Keeps how reading does, as `put` keeps items. */
  async keepState(state: PollState): Promise<void> {
    if (!(await this.#isStored(() => this.#store.keepState(this.#provider, state)))) this.#aside().state = state;
  }

  /** Brings what was read without the store into it. Rejects where the store does not answer. */
  async bringBack(): Promise<void> {
    await this.refresh();
    const beside = this.#beside;
    if (!beside?.isAhead) return;
    const stored = this.#stored ?? new Timeline();
    const news = broughtBack(beside.timeline, stored, beside.state?.succeededAt ?? null);
    await this.#write(news);
    if (beside.state) await this.#store.keepState(this.#provider, beside.state);
    await this.refresh();
  }

  /** All that is known; `undefined` where nothing is. */
  kept(): ItemsKept | undefined {
    const { timeline, state, isAhead } = this;
    return timeline && { items: timeline.all(), state, isAhead };
  }

  /** Takes back what an earlier process knew, for as long as the store does not answer. Answers whether it did: not where anything was read already. */
  restore({ items, state, isAhead }: ItemsKept): boolean {
    if (this.timeline) return false;
    const timeline = new Timeline();
    timeline.put(items);
    this.#beside = { timeline, state, isAhead };
    this.generation += 1;
    return true;
  }

  /** The record comes first: what is not written then is found to have changed once more, and recorded again. */
  async #write(items: readonly KnownItem[]): Promise<void> {
    if (!this.#stored) await this.refresh();
    const stored = this.#stored ?? new Timeline();
    for (let start = 0; start === 0 || start < items.length; start += mostInRecord) {
      const some = items.slice(start, start + mostInRecord);
      await this.#records.add(some, stored, this.#revision?.epoch);
      for (let from = 0; from < some.length; from += writtenAtOnce) {
        await this.#store.put(this.#provider, some.slice(from, from + writtenAtOnce));
      }
      stored.put(some);
    }
  }

  async #isStored(write: () => Promise<void>): Promise<boolean> {
    if (this.#beside) return false;
    return write().then(
      () => true,
      () => false,
    );
  }

  #aside(): Beside {
    this.#beside ??= { timeline: this.#stored?.copy() ?? new Timeline(), state: this.#storedState, isAhead: true };
    this.#beside.isAhead = true;
    return this.#beside;
  }

  async #read(): Promise<Timeline> {
    let revision = this.#revision;
    let timeline = this.#stored ?? new Timeline();
    let read: KnownItem[] = [];
    while (true) {
      const news = await this.#store.since(this.#provider, revision, atOnce);
      // A store that lost its data, or was restored, knows what it knows.
      if (revision && news.revision?.epoch !== revision.epoch) [timeline, read] = [new Timeline(), []];
      read.push(...news.items);
      revision = news.revision;
      this.#storedState = news.state;
      const isLast = news.items.length < atOnce;
      if (isLast || read.length >= putAtOnce) {
        if (read.length > 0 || timeline !== this.#stored) this.generation += 1;
        timeline.put(read.splice(0));
      }
      if (isLast) break;
      // Stores on this machine answer without a pause.
      await new Promise((resume) => void setImmediate(resume));
    }
    this.#revision = revision;
    this.#stored = timeline;
    this.#giveWay();
    return this.timeline ?? timeline;
  }

  /** The store answers: what it knows counts, unless something later was read without it. */
  #giveWay(): void {
    const { isAhead, state } = this.#beside ?? {};
    if (this.isBeingRead) return;
    if (isAhead && timeOf(state) > timeOf(this.#storedState)) return;
    if (this.#beside) this.generation += 1;
    this.#beside = undefined;
  }
}

const timeOf = (state: PollState | undefined): number => state?.succeededAt ?? Number.NEGATIVE_INFINITY;

/** Of what was read without the store, what it does not have; and what it has that is listed no longer. */
function broughtBack(read: Timeline, stored: Timeline, readAt: number | null): readonly KnownItem[] {
  const changed = read.all().flatMap((item) => {
    const before = stored.get(item.id);
    const after = { ...item, wasOffered: item.wasOffered || (before?.wasOffered ?? false) };
    return isSameItem(before, after) ? [] : [after];
  });
  const gone = stored.all().filter((item) => item.lastListedAt === null && !read.get(item.id));
  return [...changed, ...gone.map((item) => ({ ...item, lastListedAt: readAt }))];
}

/** Both were made by the same steps, so that their members are in one order. */
export const isSameItem = (before: KnownItem | undefined, after: KnownItem): boolean =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(after);
