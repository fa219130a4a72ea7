/** A cached value. `isUsed` is set when it is returned from the cache. */
export type Cached = { isUsed: boolean };

type Options<V> = {
  /** Maximum sum of the sizes. */
  readonly max: number;
  /** Default: 1 each, so `max` is a number of values. */
  readonly sizeOf?: (value: V, key: string) => number;
  /** Called with a value that leaves to make room, or is replaced or deleted. */
  readonly removed?: (value: V, key: string, isEvicted: boolean) => void;
  /** Takes a used value when its turn to leave has come. Default: it stays for another round. */
  readonly promote?: (value: V, key: string) => void;
};

/**
 * Bounded cache that evicts the oldest values, but gives one that was used a second chance (the CLOCK algorithm).
 *
 * A use sets a flag, where an LRU cache moves the value. Memory grows with the values, where `lru-cache` reserves that
 * of `max` values from the start, which took a third of the heap of a process that had cached nothing.
 */
export class SecondChance<V extends Cached> {
  readonly #values = new Map<string, V>();
  readonly #options: Options<V>;
  /** The oldest values come first. Kept, because a new iterator would skip all deleted values again. */
  #oldest: MapIterator<[string, V]> | undefined;
  #sum = 0;

  constructor(options: Options<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#values.size;
  }

  keys(): MapIterator<string> {
    return this.#values.keys();
  }

  get(key: string): V | undefined {
    const value = this.#values.get(key);
    if (value) value.isUsed = true;
    return value;
  }

  /** As `get`, but does not count as a use. */
  peek(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    const size = this.#sizeOf(value, key);
    const last = this.#values.get(key);
    if (last === value) return;
    if (last) this.#remove(last, key, false);
    if (size > this.#options.max) {
      this.#options.removed?.(value, key, true);
      return;
    }
    this.#values.set(key, value);
    this.#sum += size;
    while (this.#sum > this.#options.max) this.#evictOne();
  }

  delete(key: string): void {
    const value = this.#values.get(key);
    if (value) this.#remove(value, key, false);
  }

  #evictOne(): void {
    this.#oldest ??= this.#values.entries();
    const { done, value: oldest } = this.#oldest.next();
    if (done) {
      this.#oldest = undefined;
      return;
    }
    const [key, value] = oldest;
    if (!value.isUsed) {
      this.#remove(value, key, true);
      return;
    }
    value.isUsed = false;
    this.#values.delete(key);
    const { promote } = this.#options;
    if (!promote) {
      this.#values.set(key, value);
      return;
    }
    this.#sum -= this.#sizeOf(value, key);
    promote(value, key);
  }

  #remove(value: V, key: string, isEvicted: boolean): void {
    this.#values.delete(key);
    this.#sum -= this.#sizeOf(value, key);
    this.#options.removed?.(value, key, isEvicted);
  }

  #sizeOf(value: V, key: string): number {
    return this.#options.sizeOf?.(value, key) ?? 1;
  }
}
