import { ChangeRejected } from "../../domain/errors.ts";

/** A store that came back empty and may be accepted. */
type Acceptable = { accept(): Promise<void> };

/**
 * Accepts stores that came back empty on purpose, so that the empty-store guard no longer reports an outage: the store
 * of a connection, or all stores. Returns the connections. Rejects with `ChangeRejected` for an unknown connection.
 */
export const acceptStores =
  (stores: ReadonlyMap<string, Acceptable>) =>
  async (connection?: string): Promise<readonly string[]> => {
    const names = [...stores.keys()].filter((name) => connection === undefined || name === connection);
    if (connection !== undefined && names.length === 0) {
      throw new ChangeRejected(
        `Unknown connection "${connection}". The connections are: ${[...stores.keys()].join(", ") || "none"}.`,
      );
    }
    for (const name of names) await stores.get(name)?.accept();
    return names;
  };

export type AcceptStores = ReturnType<typeof acceptStores>;
