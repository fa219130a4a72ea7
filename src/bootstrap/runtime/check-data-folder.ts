import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorMessage } from "../../domain/error-message.ts";
import { eventLogSchemaVersion } from "../../infrastructure/event-log/database/schema-version.ts";
import { DataFolderError } from "../../infrastructure/sqlite/data-folder-error.ts";
import { checkSchemaVersion, schemaVersionOf } from "../../infrastructure/sqlite/schema-version.ts";
import { storeSchemaVersion } from "../../infrastructure/sqlite/sqlite-schema.ts";
import type { Config } from "../config/config.ts";

/**
 * Checks the local files of a configuration before the service opens them. Throws `DataFolderError`, with all files as
 * they are, if one of them or its folder is not writable, or if a database is of a newer version of Tidegate.
 */
export function checkDataFolder({ connections, eventLog, cache }: Config): void {
  const stores = Object.values(connections).flatMap((store) => (store.kind === "sqlite" ? [store.file] : []));
  for (const file of stores) checkFile(file, storeSchemaVersion);
  if (eventLog.kind === "sqlite") checkFile(eventLog.file, eventLogSchemaVersion);
  if (cache.snapshot) checkFile(cache.snapshot.file);
}

function checkFile(file: string, supported?: number): void {
  if (file === ":memory:") return;
  const { R_OK, W_OK, X_OK } = constants;
  try {
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, W_OK | X_OK);
    if (existsSync(file)) accessSync(file, R_OK | W_OK);
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new DataFolderError(
      `${file} is not writable: ${reason}; make its folder writable for this user, or set TIDEGATE_DATA to another one`,
    );
  }
  if (supported !== undefined) checkSchemaVersion(file, schemaVersionOf(file), supported);
}
