import sql, { type Sql } from "sql-template-tag";
import { migrate } from "./migrations.ts";

/** The location of the event log. */
export type EventLogLocation =
  | { readonly kind: "postgres"; readonly url: string }
  | {
      readonly kind: "sqlite";
      readonly file: string;
      /** The file of version 0.1, which is renamed to `file` on first use. */
      readonly formerFile?: string;
    };

/**
 * Runs statements that both databases understand, and returns their rows. A `Date` is a timestamp. Timestamps are read
 * as milliseconds, JSON as text, and booleans as 0 and 1 or as booleans.
 */
export type Queries = { readonly query: <Row>(statement: Sql) => Promise<readonly Row[]> };

/** Statements that apply together or not at all. */
export type Transaction = Queries & { readonly isTransaction: true };

export type Database = Queries & {
  /** Commits when the task resolves, and rolls back when it rejects. */
  readonly transaction: <T>(task: (transaction: Transaction) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

/** Opens the database of the event log and migrates its tables. Rejects, with everything closed, if that fails. */
export async function openDatabase(location: EventLogLocation): Promise<Database> {
  // Each driver is loaded only if it is used.
  if (location.kind === "sqlite") {
    const { openSqlite } = await import("./sqlite.ts");
    return migrated(openSqlite(location.file), location.kind);
  }
  const { openPostgres } = await import("./postgres.ts");
  const patient = await migrated(openPostgres(location.url, false), location.kind);
  await patient.close();
  return openPostgres(location.url, true);
}

async function migrated(database: Database, kind: EventLogLocation["kind"]): Promise<Database> {
  try {
    if (kind === "postgres") await checkEncoding(database);
    await migrate(database, kind);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Rejects other encodings: they cannot represent all feature keys. */
async function checkEncoding(database: Database): Promise<void> {
  const [row] = await database.query<{ server_encoding: string }>(sql`show server_encoding`);
  const encoding = row?.server_encoding;
  if (encoding !== "UTF8")
    throw new Error(`the database encoding is ${encoding}; create the database with ENCODING 'UTF8'`);
}

const uniqueViolation = "23505";
const constraintUnique = 2_067;
const constraintPrimaryKey = 1_555;

/** Whether a statement failed on a unique constraint. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === uniqueViolation || errcode === constraintUnique || errcode === constraintPrimaryKey;
}
