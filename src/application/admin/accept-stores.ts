import { ChangeRejected } from "../../domain/errors.ts";

/** A store that came back empty and may be accepted. */
type Acceptable = { accept(): Promise<void> };

/** Accepts stores that came back empty on purpose, so that the empty-store guard no longer reports an outage. */
export class AcceptStores {
  readonly #stores: ReadonlyMap<string, Acceptable>;

  constructor(stores: ReadonlyMap<string, Acceptable>) {
    this.#stores = stores;
  }

  /**
   * Accepts the store of a connection, or all stores. Returns the connections. Rejects with `ChangeRejected` for an
   * unknown connection.
   */
  async accept(connection?: string): Promise<readonly string[]> {
    const names = [...this.#stores.keys()].filter((name) => connection === undefined || name === connection);
    if (connection !== undefined && names.length === 0) {
      throw new ChangeRejected(
        `Unknown connection "${connection}". The connections are: ${[...this.#stores.keys()].join(", ") || "none"}.`,
      );
    }
    for (const name of names) await this.#stores.get(name)?.accept();
    return names;
  }
}
