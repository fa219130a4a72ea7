/** The names of the migrations, in order. In a file of their own, because each start checks the version of a file. */
export const migrationNames = ["0001_log", "0002_stores", "0003_long_texts", "0004_usage"] as const;

/** Version of the tables: the number of migrations. */
export const eventLogSchemaVersion = migrationNames.length;
