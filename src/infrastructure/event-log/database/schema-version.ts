/**
 * The names of the migrations, in order. Apart from the migrations themselves, because each start checks the version of a
 * file, and the query library of the migrations has 250 modules.
 */
export const migrationNames = ["0001_log", "0002_stores", "0003_long_texts", "0004_usage"] as const;

/** Version of the tables: the number of migrations. */
export const eventLogSchemaVersion = migrationNames.length;
