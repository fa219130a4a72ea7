/** How long changes of a key are gathered before it is read again. */
const gatherMs = 5;

/**
 * Reads keys that every answer needs again as soon as they change, and not when somebody asks next: should the store go away
 * in between, a kill switch must not be forgotten.
 */
export class ReadAgain {
  readonly #read: (key: string) => unknown;
  readonly #keys = new Set<string>();
  readonly #gathered = new Set<string>();

  constructor(read: (key: string) => unknown) {
    this.#read = read;
  }

  /** From now on the key is read again when it changes. */
  add(key: string): void {
    this.#keys.add(key);
  }

  /** A key has changed; `undefined`: all may have. */
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
      // Who asks next is told of a failure; here nobody does.
    }
  }
}
