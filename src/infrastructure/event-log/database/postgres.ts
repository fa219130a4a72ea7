import pg from "pg";
import type { Database, Queries } from "./database.ts";

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
export function openPostgres(url: string, hasLimit: boolean): Database {
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
  // A connection that breaks between two statements of a transaction rejects the next one.
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    query: (statement) => connected(pool, ({ query }) => query(statement)),
    transaction: (task) =>
      connected(pool, async ({ query, run }) => {
        await run("begin");
        try {
          const result = await task({ query, isTransaction: true });
          await run("commit");
          return result;
        } catch (error) {
          await run("rollback").catch(() => {});
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}

type Connection = Queries & { readonly run: (text: string, values?: unknown[]) => Promise<pg.QueryResult> };

/** Lends a connection. It leaves the pool after any failure other than an error reported by the server. */
async function connected<T>(pool: pg.Pool, task: (connection: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let fault: unknown;
  const run: Connection["run"] = async (text, values) => {
    if (fault) throw fault;
    try {
      return await client.query(text, values);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) fault = error;
      throw error;
    }
  };
  try {
    return await task({ run, query: async ({ text, values }) => (await run(text, values)).rows });
  } finally {
    client.release(fault !== undefined);
  }
}
