import { type Batch, type BatchResult, mostFeaturesInBatch, mostInBatch } from "../../domain/admin/batch.ts";
import { ChangeRejected, StoreDataInvalid, StoreFull } from "../../domain/errors.ts";

/** So many batches are on their way at once, so that a store need not wait for the next one. */
const mostUnderWay = 3;
const mostTries = 20;
const tryAgainMs = 1_000;

/** Where things go, and how. */
export type LaneOptions<Item> = Omit<Batch<unknown>, "from" | "to" | "items"> & {
  readonly store: (batch: Batch<Item>) => Promise<BatchResult>;
  /** Two things of one name in a batch become one. */
  readonly nameOf: (item: Item) => string;
  readonly merged: (earlier: Item, later: Item) => Item;
  /** How many features it has. */
  readonly weightOf: (item: Item) => number;
};

type UnderWay<Item> = { readonly batch: Batch<Item>; readonly answer: Promise<BatchResult | Error> };

/**
 * Puts things into a store in the order of their places in a whole, in batches, each once, however often the whole is begun. A store that
 * does not answer is asked again for some seconds.
 */
export class LoadLane<Item> {
  /** How many records it made. */
  records = 0;
  /** How many things that were added were in the store before, by the same whole. */
  skipped = 0;
  readonly #options: LaneOptions<Item>;
  readonly #underWay: UnderWay<Item>[] = [];
  /** Up to which place everything was in the store when it began. */
  #before: number | undefined;
  #items = new Map<string, Item>();
  #weight = 0;
  /** Where the next batch begins, and where it would end now. */
  #from = 0;
  #to = 0;

  constructor(options: LaneOptions<Item>) {
    this.#options = options;
  }

  /** Adds what stands at a place. What it answers, if anything, is to be waited for before more is added. */
  add(item: Item, place: number): Promise<void> | undefined {
    if (this.#before === undefined) return this.#begin().then(() => this.add(item, place));
    if (place <= this.#before) {
      this.skipped += 1;
      return undefined;
    }
    const { nameOf, merged, weightOf } = this.#options;
    const name = nameOf(item);
    const earlier = this.#items.get(name);
    this.#items.set(name, earlier === undefined ? item : merged(earlier, item));
    this.#weight += weightOf(item);
    this.#to = place;
    const isFull = this.#items.size === mostInBatch || this.#weight >= mostFeaturesInBatch;
    return isFull ? this.#send() : undefined;
  }

  /** Waits until everything is in the store. */
  async end(): Promise<void> {
    if (this.#items.size > 0) await this.#send();
    while (this.#underWay.length > 0) await this.#settle();
  }

  async #begin(): Promise<void> {
    this.#before = (await this.#insist(this.#batch([]))).position;
    this.#from = this.#before;
  }

  async #send(): Promise<void> {
    const batch = this.#batch([...this.#items.values()]);
    this.#items = new Map();
    this.#weight = 0;
    this.#from = this.#to;
    this.#underWay.push({ batch, answer: this.#options.store(batch).catch((error: Error) => error) });
    while (this.#underWay.length >= mostUnderWay) await this.#settle();
  }

  /** Waits for the first batch under way. It was not loaded where the one before it was not, at first. */
  async #settle(): Promise<void> {
    const first = this.#underWay.shift();
    if (!first) return;
    const { batch } = first;
    const answer = await first.answer;
    if (isFinal(answer)) throw answer;
    const isLoaded = !(answer instanceof Error) && answer.position >= batch.to;
    const { position, records } = isLoaded ? answer : await this.#insist(batch);
    if (position < batch.to) throw new Error("the store has lost what was imported; restore it, and import again");
    // How many records a batch made that was loaded without an answer is not known; most things have one.
    this.records += answer instanceof Error ? batch.items.length : records;
  }

  async #insist(batch: Batch<Item>): Promise<BatchResult> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#options.store(batch);
      } catch (error) {
        if (isFinal(error) || tries === mostTries) throw error;
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs));
      }
    }
  }

  #batch(items: readonly Item[]): Batch<Item> {
    const { store: _, nameOf: __, merged: ___, weightOf: ____, ...options } = this.#options;
    return { ...options, from: this.#from, to: this.#to, items };
  }
}

/** Whether asking again is of no use. */
const isFinal = (answer: unknown): boolean =>
  answer instanceof ChangeRejected || answer instanceof StoreDataInvalid || answer instanceof StoreFull;
