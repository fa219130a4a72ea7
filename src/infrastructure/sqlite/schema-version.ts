import type { DatabaseSync } from "node:sqlite";
import { firstBytes } from "../files/first-bytes.ts";
import { SetupFailed } from "../setup-failed.ts";

/** Throws `SetupFailed` if the schema of a file is newer than `supported`. Version 0.1 wrote 0. */
export function checkSchemaVersion(file: string, version: number, supported: number): void {
  if (version <= supported) return;
  throw new SetupFailed(
    `${file} belongs to a newer version of Tidegate (schema ${version}, this version supports ${supported}); install that version, or restore a backup from before the upgrade`,
  );
}

/** The schema version of an open database. */
export const schemaVersionIn = (database: DatabaseSync): number =>
  Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);

/** Place of `PRAGMA user_version` in the header of a SQLite file: 4 bytes, big-endian. */
const place = 60;

/**
 * The schema version of a SQLite file, 0 if it is missing. Reads the header only, so the file and its folder stay as
 * they are. Call it before this process opens the database: closing the file would release SQLite's locks.
 */
export const schemaVersionOf = (file: string): number => firstBytes(file, place + 4)?.readUInt32BE(place) ?? 0;
