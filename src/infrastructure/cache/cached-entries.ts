import { LRUCache } from "lru-cache";
import type { Entry } from "./entry.ts";

/**
 * The entries of a near cache, in two LRU caches of the same size: one for present keys, one for absent keys, so that
 * requests for unknown keys evict no present ones.
 */
export class CachedEntries<T> {
  /** The cached keys. Unlike the caches, this set may change during iteration. */
  readonly keys = new Set<string>();
  readonly #isAbsent: (value: T) => boolean;
  readonly #present: LRUCache<string, Entry<T>>;
  readonly #absent: LRUCache<string, Entry<T>>;

  constructor(capacity: number, isAbsent: (value: T) => boolean, evicted: () => void) {
    this.#isAbsent = isAbsent;
    const dispose = (entry: Entry<T>, key: string, reason: LRUCache.DisposeReason) => {
      entry.retire();
      if (reason !== "set") this.keys.delete(key);
      if (reason === "evict") evicted();
    };
    this.#present = new LRUCache({ max: capacity, dispose });
    this.#absent = new LRUCache({ max: capacity, dispose });
  }

  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  get(key: string): Entry<T> | undefined {
    return this.#present.get(key) ?? this.#absent.get(key);
  }

  /** As `get`, but does not count as a use. */
  peek(key: string): Entry<T> | undefined {
    return this.#present.peek(key) ?? this.#absent.peek(key);
  }

  set(key: string, entry: Entry<T>): void {
    const [to, from] = this.#isAbsent(entry.value) ? [this.#absent, this.#present] : [this.#present, this.#absent];
    from.delete(key);
    to.set(key, entry);
    this.keys.add(key);
  }
}
