import { type Cached, SecondChance } from "./second-chance.ts";

/** The part of the size that is for keys that anyone can make up. */
const arbitraryShare = 1 / 8;
/** The part of that for values that were not used yet. */
const onceShare = 1 / 4;

/** Size limit of a cache, and the callback for removed values. */
export type SegmentOptions<V> = {
  /** Maximum sum of the sizes of values with known keys. */
  readonly max: number;
  /** Default: 1 each. */
  readonly sizeOf?: (value: V, key: string) => number;
  readonly removed?: (value: V, key: string, isEvicted: boolean) => void;
};

/**
 * Segments of a cache, each with its own bound. Known keys are as many as the store has. Arbitrary keys are those that
 * anyone can make up: unknown tokens, locations, client ids. They evict no known ones, and one that is requested once
 * evicts none that is requested often (a segmented cache, as S3-FIFO).
 */
export class Segments<V extends Cached> {
  readonly #known: SecondChance<V>;
  readonly #once: SecondChance<V>;
  readonly #often: SecondChance<V>;

  constructor({ max, ...options }: SegmentOptions<V>) {
    const arbitrary = max * arbitraryShare;
    this.#known = new SecondChance({ ...options, max });
    this.#often = new SecondChance({ ...options, max: Math.max(1, arbitrary * (1 - onceShare)) });
    this.#once = new SecondChance({
      ...options,
      max: Math.max(1, arbitrary * onceShare),
      promote: (value, key) => this.#often.set(key, value),
    });
  }

  get size(): number {
    return this.#known.size + this.#often.size + this.#once.size;
  }

  /** The keys. The cache may change during iteration. */
  *keys(): Iterable<string> {
    yield* this.#known.keys();
    yield* this.#often.keys();
    yield* this.#once.keys();
  }

  get(key: string): V | undefined {
    return this.#known.get(key) ?? this.#often.get(key) ?? this.#once.get(key);
  }

  /** As `get`, but does not count as a use. */
  peek(key: string): V | undefined {
    return this.#known.peek(key) ?? this.#often.peek(key) ?? this.#once.peek(key);
  }

  set(key: string, value: V, isArbitrary: boolean): void {
    if (!isArbitrary) {
      this.#often.delete(key);
      this.#once.delete(key);
      this.#known.set(key, value);
      return;
    }
    this.#known.delete(key);
    (this.#often.peek(key) ? this.#often : this.#once).set(key, value);
  }
}
