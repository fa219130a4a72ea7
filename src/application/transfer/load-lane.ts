import { type Batch, type BatchResult, maxFeaturesInBatch, maxInBatch } from "../../domain/admin/batch.ts";
import { ChangeRejected, StoreDataInvalid, StoreFull } from "../../domain/errors.ts";

/** Maximum number of batches in flight, so that a store need not wait for the next one. */
const maxInFlight = 3;
const maxAttempts = 20;
const tryAgainMs = 1_000;

/** The target of a lane, and how it merges and weighs items. */
export type LaneTarget<Item> = {
  readonly store: (batch: Batch<Item>) => Promise<BatchResult>;
  /** Items of the same name in a batch are merged. */
  readonly nameOf: (item: Item) => string;
  /** Default: the later one. */
  readonly merged?: (earlier: Item, later: Item) => Item;
  /** The number of features of an item. Default: 1. */
  readonly weightOf?: (item: Item) => number;
};

type PendingBatch<Item> = { readonly batch: Batch<Item>; readonly result: Promise<BatchResult | Error> };

/**
 * Import lane: writes items into a store in order, in batches, each exactly once even if the import is started again.
 * Tries a batch up to 20 times, a second apart, if the store does not respond.
 */
export class LoadLane<Item> {
  /** The number of records made. */
  records = 0;
  /** The number of items that an earlier run of the import had written. */
  skipped = 0;
  readonly #author: Pick<Batch<Item>, "by" | "email" | "note">;
  readonly #load: string;
  readonly #target: LaneTarget<Item>;
  readonly #pending: PendingBatch<Item>[] = [];
  /** The position that the import had reached before this run. */
  #before: number | undefined;
  #items = new Map<string, Item>();
  #weight = 0;
  /** The start of the next batch, and its end so far. */
  #from = 0;
  #to = 0;

  constructor(author: Pick<Batch<Item>, "by" | "email" | "note">, load: string, target: LaneTarget<Item>) {
    this.#author = author;
    this.#load = load;
    this.#target = target;
  }

  /** Adds the item at a position. If it returns a promise, await it before the next call. */
  add(item: Item, position: number): Promise<void> | undefined {
    if (this.#before === undefined) return this.#begin().then(() => this.add(item, position));
    if (position <= this.#before) {
      this.skipped += 1;
      return undefined;
    }
    const { nameOf, merged, weightOf } = this.#target;
    const name = nameOf(item);
    const earlier = this.#items.get(name);
    this.#items.set(name, earlier !== undefined && merged ? merged(earlier, item) : item);
    this.#weight += weightOf?.(item) ?? 1;
    this.#to = position;
    const isFull = this.#items.size === maxInBatch || this.#weight >= maxFeaturesInBatch;
    return isFull ? this.#send() : undefined;
  }

  /** Waits until everything is stored. */
  async end(): Promise<void> {
    if (this.#items.size > 0) await this.#send();
    while (this.#pending.length > 0) await this.#settle();
  }

  async #begin(): Promise<void> {
    this.#before = (await this.#retry(this.#batch([]))).position;
    this.#from = this.#before;
  }

  async #send(): Promise<void> {
    const batch = this.#batch([...this.#items.values()]);
    this.#items = new Map();
    this.#weight = 0;
    this.#from = this.#to;
    this.#pending.push({ batch, result: this.#target.store(batch).catch((error: Error) => error) });
    while (this.#pending.length >= maxInFlight) await this.#settle();
  }

  /**
   * Waits for the oldest batch in flight. It was not applied if the one before it failed at first; then it is sent
   * again.
   */
  async #settle(): Promise<void> {
    const first = this.#pending.shift();
    if (!first) return;
    const { batch } = first;
    const result = await first.result;
    if (isFinal(result)) throw result;
    const isLoaded = !(result instanceof Error) && result.position >= batch.to;
    const { position, records } = isLoaded ? result : await this.#retry(batch);
    if (position < batch.to) throw new Error("the store lost imported data; restore it, and import again");
    // A batch applied without a response made an unknown number of records; most items make one.
    this.records += result instanceof Error ? batch.items.length : records;
  }

  async #retry(batch: Batch<Item>): Promise<BatchResult> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#target.store(batch);
      } catch (error) {
        if (isFinal(error) || tries === maxAttempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs));
      }
    }
  }

  #batch(items: readonly Item[]): Batch<Item> {
    return { ...this.#author, load: this.#load, from: this.#from, to: this.#to, items };
  }
}

/** Whether a retry is useless. */
const isFinal = (result: unknown): boolean =>
  result instanceof ChangeRejected || result instanceof StoreDataInvalid || result instanceof StoreFull;
