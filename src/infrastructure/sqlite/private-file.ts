import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../files/make-folder.ts";

const ofOthers = 0o007;

/**
 * Opens a SQLite database, created if missing. Its folder and all its files, including those that SQLite creates, are
 * accessible to their owner only. Throws if the write-ahead log of another database is in its place: SQLite would mix
 * both.
 */
export function openPrivately<Database>(file: string, open: () => Database): Database {
  if (file === ":memory:") return open();
  makeFolder(dirname(file), 0o700);
  // In this order, because SQLite creates the log after the file.
  if (existsSync(`${file}-wal`) && !existsSync(file)) {
    throw new Error("it is missing, but its -wal exists; put it back, or remove its -wal and -shm");
  }
  if (!existsSync(file)) make(file);
  else for (const suffix of ["", "-wal", "-shm"]) hide(file + suffix);
  return open();
}

/** Version 0.1 left the permissions to the umask. A group that may read the file keeps its access. */
function hide(file: string): void {
  try {
    if ((statSync(file).mode & ofOthers) !== 0) chmodSync(file, 0o600);
  } catch {
    // Missing, or owned by another user.
  }
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
