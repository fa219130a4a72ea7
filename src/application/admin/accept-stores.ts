import { ChangeRejected } from "../../domain/errors.ts";

/** A store that may be told to be believed as it is. */
type Acceptable = { accept(): Promise<void> };

/** Ends the doubt about stores that came back empty, and are meant to be. */
export class AcceptStores {
  readonly #stores: ReadonlyMap<string, Acceptable>;

  constructor(stores: ReadonlyMap<string, Acceptable>) {
    this.#stores = stores;
  }

  /** Believes the store of a connection, or all; answers which. Rejects with `ChangeRefused` for a connection that is none. */
  async accept(connection?: string): Promise<readonly string[]> {
    const names = [...this.#stores.keys()].filter((name) => connection === undefined || name === connection);
    if (connection !== undefined && names.length === 0) {
      throw new ChangeRejected(
        `there is no connection "${connection}"; the connections are: ${[...this.#stores.keys()].join(", ") || "none"}.`,
      );
    }
    for (const name of names) await this.#stores.get(name)?.accept();
    return names;
  }
}
