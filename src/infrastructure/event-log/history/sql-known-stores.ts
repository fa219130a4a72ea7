import { coverageCollection } from "../../../application/events/change-event.ts";
import type { KnownStores } from "../../../domain/events/known-stores.ts";
import type { Database } from "../database/database.ts";
import { lockedHead } from "../log/writer.ts";
import { namesOf } from "./store-names.ts";

/** Known stores, in the database of the event log. */
export class SqlKnownStores implements KnownStores {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async enter(identity: string, connection: string): Promise<void> {
    await this.#database
      .insertInto("stores")
      .values({ identity, connection, claimed: null })
      .onConflict((conflict) => conflict.column("identity").doUpdateSet({ connection }))
      .execute();
  }

  namesOf(identity: string): Promise<readonly string[]> {
    return namesOf(this.#database, identity);
  }

  async hasUnclaimed(connection: string): Promise<boolean> {
    const found = await this.#database
      .selectNoFrom(({ and, exists, not, or, selectFrom }) =>
        and([
          or([
            exists(selectFrom("events").where("store", "=", connection).select("position")),
            // Retention keeps these rows.
            exists(selectFrom("sets").where("store", "=", connection).select("id")),
            exists(selectFrom("kept_documents").where("store", "=", connection).select("key")),
          ]),
          not(exists(selectFrom("stores").where("claimed", "=", connection).select("identity"))),
        ]).as("found"),
      )
      .executeTakeFirstOrThrow();
    return Boolean(found.found);
  }

  async claim(identity: string, connection: string): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      // Blocks appends until the transaction ends.
      await lockedHead(transaction);
      const claimed = await transaction
        .updateTable("stores")
        .set({ claimed: connection })
        .where("identity", "=", identity)
        .where("claimed", "is", null)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom("stores as other").where("other.claimed", "=", connection).select("other.identity"))),
        )
        .executeTakeFirst();
      if (Number(claimed.numUpdatedRows) === 0) return;
      const own = transaction.selectFrom("sets as own").where("own.store", "=", identity).select("own.key");
      await transaction
        .updateTable("sets")
        .set({ store: identity })
        .where("store", "=", connection)
        .where("key", "not in", own)
        .execute();
    });
  }

  async hasChangesOfOthers(identity: string, connection: string): Promise<boolean> {
    const stores = await this.#database.selectFrom("stores").selectAll().execute();
    const others = stores.filter((store) => store.connection === connection && store.identity !== identity);
    const isClaimed = stores.some(({ claimed }) => claimed === connection);
    const names = [
      ...others.flatMap(({ identity, claimed }) => [identity, ...(claimed === null ? [] : [claimed])]),
      ...(isClaimed ? [] : [connection]),
    ];
    if (names.length === 0) return false;
    const { found } = await this.#database
      .selectNoFrom(({ exists, or, selectFrom }) =>
        or([
          exists(
            selectFrom("sets")
              .innerJoin("turns", "turns.set_id", "sets.id")
              .where("sets.store", "in", names)
              .select("turns.position"),
          ),
          exists(
            selectFrom("events")
              .where("store", "in", names)
              .where("kind", "in", ["document", "token"])
              .where("key", "not like", `${coverageCollection}/%`)
              .select("position"),
          ),
        ]).as("found"),
      )
      .executeTakeFirstOrThrow();
    return Boolean(found);
  }
}
