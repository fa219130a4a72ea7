import type { Database } from "../database/database.ts";

/** The names under which events of a store are recorded. */
export async function namesOf(database: Database, store: string): Promise<readonly string[]> {
  const row = await database.selectFrom("stores").where("identity", "=", store).select("claimed").executeTakeFirst();
  return row?.claimed ? [store, row.claimed] : [store];
}

/** The identity of the store that claimed the events of a connection, by connection name. */
export async function claims(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.selectFrom("stores").where("claimed", "is not", null).selectAll().execute();
  return new Map(rows.map(({ identity, claimed }) => [claimed ?? "", identity]));
}
