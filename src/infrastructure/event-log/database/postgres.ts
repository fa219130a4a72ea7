import { Kysely, PostgresDialect, type PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Tables } from "./tables.ts";

const connectMs = 1_000;
const statementMs = 5_000;
/** After this long it is not the statement that hangs. */
const hangingMs = 5_500;
const mostConnections = 3;

const { builtins } = pg.types;

/** How values are read: whole numbers as such, timestamps as milliseconds, and JSON as its text. */
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.TIMESTAMPTZ, (text) => Number(pg.types.getTypeParser(builtins.TIMESTAMPTZ)(text))],
  [builtins.JSONB, String],
]);

/** A pool of connections to a PostgreSQL server, made when they are needed. What takes longer than some seconds is given up, if it is to be. */
export function openPostgres(url: string, hasLimit: boolean): Kysely<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: mostConnections,
    connectionTimeoutMillis: connectMs,
    ...(hasLimit && { statement_timeout: statementMs, query_timeout: hangingMs }),
    // Others wait for who holds the head of the log, and need not when its process hangs.
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    application_name: "tidegate",
    types: { getTypeParser: (type, format) => parsers.get(type) ?? pg.types.getTypeParser(type, format) },
  });
  // An idle connection that breaks is replaced by another.
  pool.on("error", () => {});
  return new Kysely({
    dialect: new PostgresDialect({
      pool: {
        options: pool.options,
        connect: async () => lent(await pool.connect()),
        end: () => pool.end(),
      },
    }),
  });
}

/** A connection that does not go back to the pool once it has failed otherwise than by an error that the server told. */
function lent(client: pg.PoolClient): PostgresPoolClient {
  let fault: unknown;
  const query = async (text: string, values: readonly unknown[]) => {
    if (fault) throw fault;
    try {
      return await client.query(text, [...values]);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) fault = error;
      throw error;
    }
  };
  return { query: query as unknown as PostgresPoolClient["query"], release: () => client.release(fault !== undefined) };
}
