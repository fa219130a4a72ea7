import { Kysely, PostgresDialect, type PostgresPoolClient } from "kysely";
import pg from "pg";
import type { Tables } from "./tables.ts";

const connectMs = 1_000;
const statementMs = 5_000;
/** Timeout after which the connection is considered hung, not the statement. */
const hangingMs = 5_500;
const maxConnections = 3;

const { builtins } = pg.types;

/** Parsers of column values: integers, timestamps as milliseconds, JSON as text. */
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.TIMESTAMPTZ, (text) => Number(pg.types.getTypeParser(builtins.TIMESTAMPTZ)(text))],
  [builtins.JSONB, String],
]);

/** Pool of connections to a PostgreSQL server, created on demand. With `hasLimit`, statements time out after 5 s. */
export function openPostgres(url: string, hasLimit: boolean): Kysely<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectMs,
    ...(hasLimit && { statement_timeout: statementMs, query_timeout: hangingMs }),
    // Other writers wait for the lock on the head of the log. This ends the lock of a process that hangs.
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    application_name: "tidegate",
    types: { getTypeParser: (type, format) => parsers.get(type) ?? pg.types.getTypeParser(type, format) },
  });
  // The pool replaces a broken idle connection.
  pool.on("error", () => {});
  return new Kysely({
    dialect: new PostgresDialect({
      pool: {
        options: pool.options,
        connect: async () => leavingOnFailure(await pool.connect()),
        end: () => pool.end(),
      },
    }),
  });
}

/** Wraps a client so that it leaves the pool after any failure other than an error reported by the server. */
function leavingOnFailure(client: pg.PoolClient): PostgresPoolClient {
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
