/** The ids of the stores that are known to have held data. Shared by all configurations of a process. */
export class FilledStores {
  readonly #ids = new Set<string>();
  readonly #added: (id: string) => void;

  /** `added` is called once per added id. */
  constructor(added: (id: string) => void = () => {}) {
    this.#added = added;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    this.#added(id);
  }
}
