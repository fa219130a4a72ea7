import sql from "sql-template-tag";
import type { Queries } from "../database/database.ts";

/** The names under which events of a store are recorded. */
export async function namesOf(database: Queries, store: string): Promise<readonly string[]> {
  const [row] = await database.query<{ claimed: string | null }>(
    sql`select claimed from stores where identity = ${store}`,
  );
  return row?.claimed ? [store, row.claimed] : [store];
}

/** The identity of the store that claimed the events of a connection, by connection name. */
export async function claims(database: Queries): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ identity: string; claimed: string }>(
    sql`select identity, claimed from stores where claimed is not null`,
  );
  return new Map(rows.map(({ identity, claimed }) => [claimed, identity]));
}
