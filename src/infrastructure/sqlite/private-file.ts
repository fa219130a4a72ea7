import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Opens a SQLite database, created if missing. Its folder and all its files, including those that SQLite creates, are
 * accessible to their owner only. Throws if the write-ahead log of another database is in its place: SQLite would mix
 * both.
 */
export function openPrivately<Database>(file: string, open: () => Database): Database {
  if (file === ":memory:") return open();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // In this order, because SQLite creates the log after the file.
  if (existsSync(`${file}-wal`) && !existsSync(file)) {
    throw new Error("it is missing, but its -wal exists; put it back, or remove its -wal and -shm");
  }
  if (!existsSync(file)) make(file);
  return open();
}

/**
 * Does not touch a file that another process creates meanwhile: closing it would release SQLite's locks in this
 * process.
 */
function make(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
