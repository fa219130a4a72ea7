import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { errorMessage } from "../../domain/error-message.ts";
import { snapshotVersion, snapshotVersionOf } from "../../infrastructure/cache/snapshot-file.ts";
import { eventLogSchemaVersion } from "../../infrastructure/event-log/database/schema-version.ts";
import { makeFolder } from "../../infrastructure/files/make-folder.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { checkSchemaVersion, schemaVersionOf } from "../../infrastructure/sqlite/schema-version.ts";
import { storeSchemaVersion } from "../../infrastructure/sqlite/sqlite-schema.ts";
import type { Config } from "../config/config.ts";

type DataFile = { readonly file: string; readonly version: (file: string) => number; readonly supported: number };

/**
 * Checks the local files of a configuration before the service opens them. Throws `SetupFailed`, with all files as they
 * are, if one of them or its folder is not writable, or if one is of a newer version of Tidegate.
 */
export function checkDataFolder(config: Config): void {
  for (const { file } of dataFiles(config)) checkWritable(file);
  checkDataVersions(config);
}

/** Throws `SetupFailed`, with all files as they are, if a local file of a configuration is of a newer version. */
export function checkDataVersions(config: Config): void {
  for (const { file, version, supported } of dataFiles(config)) checkSchemaVersion(file, version(file), supported);
}

function dataFiles({ connections, eventLog, cache }: Config): readonly DataFile[] {
  const files: DataFile[] = Object.values(connections).flatMap((store) =>
    store.kind === "sqlite" ? [{ file: store.file, version: schemaVersionOf, supported: storeSchemaVersion }] : [],
  );
  if (eventLog.kind === "sqlite") {
    files.push({ file: eventLog.file, version: schemaVersionOf, supported: eventLogSchemaVersion });
  }
  if (cache.snapshot) {
    files.push({ file: cache.snapshot.file, version: snapshotVersionOf, supported: snapshotVersion });
  }
  return files.filter(({ file }) => file !== ":memory:");
}

function checkWritable(file: string): void {
  const { R_OK, W_OK, X_OK } = constants;
  try {
    const folder = dirname(file);
    makeFolder(folder, 0o700);
    accessSync(folder, W_OK | X_OK);
    if (existsSync(file)) accessSync(file, R_OK | W_OK);
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new SetupFailed(
      `${file} is not writable: ${reason}; make its folder writable for this user, or set TIDEGATE_DATA to another one`,
    );
  }
}
