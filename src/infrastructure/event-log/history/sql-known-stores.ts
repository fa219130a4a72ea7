import sql, { join } from "sql-template-tag";
import { coverageCollection } from "../../../application/events/change-event.ts";
import type { KnownStores } from "../../../domain/events/known-stores.ts";
import type { Database } from "../database/database.ts";
import { lockedHead } from "../log/writer.ts";
import { namesOf } from "./store-names.ts";

/** Known stores, in the database of the event log. */
export function sqlKnownStores(database: Database): KnownStores {
  return {
    async enter(identity, connection) {
      await database.query(sql`
        insert into stores (identity, connection) values (${identity}, ${connection})
        on conflict (identity) do update set connection = excluded.connection`);
    },
    namesOf: (identity) => namesOf(database, identity),
    async hasUnclaimed(connection) {
      // Retention keeps rows of `sets` and `kept_documents`.
      const [row] = await database.query<{ found: boolean }>(sql`
        select (
          exists (select 1 from events where store = ${connection})
          or exists (select 1 from sets where store = ${connection})
          or exists (select 1 from kept_documents where store = ${connection})
        ) and not exists (select 1 from stores where claimed = ${connection}) as found`);
      return Boolean(row?.found);
    },
    async claim(identity, connection) {
      await database.transaction(async (transaction) => {
        // Blocks appends until the transaction ends.
        await lockedHead(transaction);
        const claimed = await transaction.query(sql`
          update stores set claimed = ${connection}
          where identity = ${identity} and claimed is null
            and not exists (select 1 from stores as other where other.claimed = ${connection})
          returning identity`);
        if (claimed.length === 0) return;
        await transaction.query(sql`
          update sets set store = ${identity}
          where store = ${connection} and key not in (select own.key from sets as own where own.store = ${identity})`);
      });
    },
    async hasChangesOfOthers(identity, connection) {
      const stores = await database.query<StoreRow>(sql`select identity, connection, claimed from stores`);
      const others = stores.filter((store) => store.connection === connection && store.identity !== identity);
      const isClaimed = stores.some(({ claimed }) => claimed === connection);
      const names = [
        ...others.flatMap(({ identity, claimed }) => [identity, ...(claimed === null ? [] : [claimed])]),
        ...(isClaimed ? [] : [connection]),
      ];
      if (names.length === 0) return false;
      const [row] = await database.query<{ found: boolean }>(sql`
        select exists (
          select 1 from sets join turns on turns.set_id = sets.id where sets.store in (${join(names)})
        ) or exists (
          select 1 from events
          where store in (${join(names)}) and kind in ('document', 'token') and key not like ${`${coverageCollection}/%`}
        ) as found`);
      return Boolean(row?.found);
    },
  };
}

type StoreRow = { readonly identity: string; readonly connection: string; readonly claimed: string | null };
