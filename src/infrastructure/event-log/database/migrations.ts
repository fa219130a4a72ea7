import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { emptyHash } from "../log/event-hash.ts";
import { eventLogSchemaVersion, type migrationNames } from "./schema-version.ts";
import type { Tables } from "./tables.ts";

/** Column types. Texts are compared byte by byte in both databases. */
const types = {
  postgres: {
    text: sql`text collate "C"`,
    integer: sql`bigint`,
    json: sql`jsonb`,
    instant: sql`timestamptz(3)`,
    flag: sql`boolean`,
  },
  sqlite: { text: sql`text`, integer: sql`integer`, json: sql`text`, instant: sql`integer`, flag: sql`integer` },
} as const;

type Kind = keyof typeof types;

/** Creates or migrates the tables. Safe for concurrent processes. */
export async function migrate(database: Kysely<Tables>, kind: Kind): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations(kind) },
    migrationTableName: "activity_migrations",
    migrationLockTableName: "activity_migrations_lock",
  });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
  if (kind === "sqlite") await writeSchemaVersion(database);
}

/** Lets an earlier version detect a file of a newer one by its header. */
async function writeSchemaVersion(database: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ user_version: number }>`PRAGMA user_version`.execute(database);
  if (rows[0]?.user_version === eventLogSchemaVersion) return;
  await sql.raw(`PRAGMA user_version = ${eventLogSchemaVersion}`).execute(database);
  await sql`PRAGMA wal_checkpoint`.execute(database);
}

/** The migrations, in the order of their names. Never change a released one: add another. */
const migrations = (kind: Kind): Record<(typeof migrationNames)[number], Migration> => ({
  "0001_log": { up: (database) => createLog(database, kind) },
  "0002_stores": { up: (database) => createStores(database, kind) },
  "0003_long_texts": { up: (database) => createLongTexts(database, kind) },
  "0004_usage": { up: (database) => createUsage(database, kind) },
});

async function createStores({ schema }: Kysely<Tables>, kind: Kind): Promise<void> {
  const { text } = types[kind];
  await schema
    .createTable("stores")
    .addColumn("identity", text, (column) => column.primaryKey())
    .addColumn("connection", text, (column) => column.notNull())
    .addColumn("claimed", text, (column) => column.unique())
    .execute();
}

async function createLongTexts({ schema }: Kysely<Tables>, kind: Kind): Promise<void> {
  const { text } = types[kind];
  await schema
    .createTable("long_texts")
    .addColumn("indexed", text, (column) => column.primaryKey())
    .addColumn("text", text, (column) => column.notNull())
    .execute();
}

async function createUsage({ schema }: Kysely<Tables>, kind: Kind): Promise<void> {
  const { text, integer, flag } = types[kind];
  await schema
    .createTable("usage_series")
    .addColumn("id", integer, (column) =>
      (kind === "postgres" ? column.generatedAlwaysAsIdentity() : column).primaryKey(),
    )
    .addColumn("feature", text, (column) => column.notNull())
    .addColumn("variant", text, (column) => column.notNull())
    .addColumn("is_on", flag, (column) => column.notNull())
    .addColumn("via", text, (column) => column.notNull())
    .addColumn("used_at", integer)
    .addUniqueConstraint("usage_series_key", ["feature", "variant", "is_on", "via"])
    .execute();
  await schema
    .createTable("usage_counts")
    .addColumn("step", integer, (column) => column.notNull())
    .addColumn("start", integer, (column) => column.notNull())
    .addColumn("series", integer, (column) => column.notNull())
    .addColumn("evaluations", integer, (column) => column.notNull())
    .addPrimaryKeyConstraint("usage_counts_pkey", ["step", "start", "series"])
    .$call((table) => (kind === "sqlite" ? table.modifyEnd(sql`without rowid`) : table))
    .execute();
}

async function createLog(database: Kysely<Tables>, kind: Kind): Promise<void> {
  const { text, integer, json, instant, flag } = types[kind];
  const { schema } = database;

  await schema
    .createTable("chain")
    .addColumn("id", integer, (column) => column.primaryKey())
    .addColumn("position", integer, (column) => column.notNull())
    .addColumn("hash", text, (column) => column.notNull())
    .addColumn("start_position", integer, (column) => column.notNull())
    .addColumn("start_hash", text, (column) => column.notNull())
    .execute();
  await database
    .insertInto("chain")
    .values({ id: 1, position: 0, hash: emptyHash, start_position: 0, start_hash: emptyHash })
    .execute();

  await schema
    .createTable("events")
    .addColumn("position", integer, (column) => column.primaryKey())
    .addColumn("id", text, (column) => column.notNull().unique())
    .addColumn("component", text, (column) => column.notNull())
    .addColumn("environment", text, (column) => column.notNull())
    .addColumn("email", text, (column) => column.notNull())
    .addColumn("message", text, (column) => column.notNull())
    .addColumn("folded", text, (column) => column.notNull())
    .addColumn("data", json, (column) => column.notNull())
    .addColumn("created_at", instant, (column) => column.notNull())
    .addColumn("recorded_by", text, (column) => column.notNull())
    .addColumn("store", text)
    .addColumn("kind", text)
    .addColumn("key", text)
    .addColumn("epoch", text)
    .addColumn("number", integer)
    .addColumn("record", json)
    .addColumn("hash", text, (column) => column.notNull())
    .execute();
  await schema
    .createIndex("events_revision")
    .unique()
    .on("events")
    .columns(["store", "kind", "key", "epoch", "number"])
    .where("store", "is not", null)
    .execute();
  for (const column of ["component", "environment", "email", "recorded_by"] as const) {
    await schema.createIndex(`events_${column}`).on("events").columns([column, "position"]).execute();
  }
  await schema
    .createIndex("events_key")
    .on("events")
    .columns(["key", "position"])
    .where("key", "is not", null)
    .execute();

  await schema
    .createTable("spans")
    .addColumn("start", integer, (column) => column.primaryKey())
    .addColumn("earliest", instant, (column) => column.notNull())
    .addColumn("latest", instant, (column) => column.notNull())
    .execute();

  await schema
    .createTable("sets")
    .addColumn("id", integer, (column) => column.primaryKey())
    .addColumn("store", text, (column) => column.notNull())
    .addColumn("key", text, (column) => column.notNull())
    .addColumn("position", integer, (column) => column.notNull())
    .addUniqueConstraint("sets_key", ["store", "key"])
    .execute();

  await schema
    .createTable("set_states")
    .addColumn("position", integer, (column) => column.primaryKey())
    .addColumn("set_id", integer, (column) => column.notNull())
    .addColumn("at", instant, (column) => column.notNull())
    .addColumn("is_known", flag, (column) => column.notNull())
    .addColumn("epoch", text, (column) => column.notNull())
    .addColumn("number", integer, (column) => column.notNull())
    .execute();
  await schema.createIndex("set_states_at").on("set_states").columns(["set_id", "at", "position"]).execute();

  await schema
    .createTable("turns")
    .addColumn("position", integer, (column) => column.notNull())
    .addColumn("feature", text, (column) => column.notNull())
    .addColumn("set_id", integer)
    .addColumn("at", instant, (column) => column.notNull())
    .addColumn("is_on", flag, (column) => column.notNull())
    .addPrimaryKeyConstraint("turns_pkey", ["position", "feature"])
    .execute();
  await schema.createIndex("turns_of_set").on("turns").columns(["set_id", "feature", "position"]).execute();
  await schema.createIndex("turns_of_feature").on("turns").columns(["feature", "position"]).execute();

  await schema
    .createTable("members")
    .addColumn("set_id", integer, (column) => column.notNull())
    .addColumn("feature", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("members_pkey", ["set_id", "feature"])
    .execute();

  await schema
    .createTable("kept_documents")
    .addColumn("store", text, (column) => column.notNull())
    .addColumn("key", text, (column) => column.notNull())
    .addColumn("created_at", instant, (column) => column.notNull())
    .addColumn("record", json, (column) => column.notNull())
    .addPrimaryKeyConstraint("kept_documents_pkey", ["store", "key"])
    .execute();
}
