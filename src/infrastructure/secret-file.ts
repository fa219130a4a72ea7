import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * The content of a file that only its owner may read; `make` gives it where the file is missing. Of several processes that make it at
 * once one does, and all read what that one made. Throws as the file system does.
 */
export function secretFile(file: string, make: () => string): { readonly content: Buffer; readonly isNew: boolean } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const isNew = !existsSync(file) && written(file, make());
  return { content: readFileSync(file), isNew };
}

/** Makes a file whole and durable, or leaves alone one that another process made meanwhile; tells which. */
function written(file: string, content: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, content, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    unlinkSync(draft);
  }
}
