import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Opens a SQLite database, which is made where it is missing: its folder and its files, also those that SQLite makes
 * beside it, are accessible to their owner only. Throws where the write-ahead log of another database is in its place:
 * SQLite would mix both.
 */
export function openPrivately<Database>(file: string, open: () => Database): Database {
  if (file === ":memory:") return open();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // In this order, as SQLite makes the log after the file.
  if (existsSync(`${file}-wal`) && !existsSync(file)) {
    throw new Error("it is missing, but its -wal is there; put it back, or remove the files with -wal and -shm");
  }
  if (!existsSync(file)) make(file);
  return open();
}

/** Leaves alone what another process makes meanwhile: to close that would end the locks of SQLite in this process. */
function make(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
