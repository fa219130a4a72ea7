/** Time for which changes of a key are collected before it is read again, in milliseconds. */
const gatherMs = 5;

/**
 * Reads keys that every evaluation needs again as soon as they change, not on the next lookup, so that an outage in
 * between cannot undo a kill.
 */
export class ReadAgain {
  readonly #read: (key: string) => unknown;
  readonly #keys = new Set<string>();
  readonly #gathered = new Set<string>();

  constructor(read: (key: string) => unknown) {
    this.#read = read;
  }

  /** Registers a key to be read again on change. */
  add(key: string): void {
    this.#keys.add(key);
  }

  /** Handles an invalidation of one key, or of all keys if `undefined`. */
  changed(key: string | undefined): void {
    for (const each of this.#keys) if (key === undefined || key === each) this.#readSoon(each);
  }

  #readSoon(key: string): void {
    if (this.#gathered.has(key)) return;
    this.#gathered.add(key);
    setTimeout(() => {
      this.#gathered.delete(key);
      void this.#readNow(key);
    }, gatherMs).unref();
  }

  async #readNow(key: string): Promise<void> {
    try {
      await this.#read(key);
    } catch {
      // The next lookup reports the error. No caller waits here.
    }
  }
}
