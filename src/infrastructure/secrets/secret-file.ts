import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../files/make-folder.ts";

/**
 * Reads a file that only its owner may read. If it is missing, creates it with the result of `make`. If several
 * processes create it at once, all read the content of one. Throws file system errors.
 */
export function secretFile(file: string, make: () => string): { readonly content: Buffer; readonly isNew: boolean } {
  makeFolder(dirname(file), 0o700);
  const isNew = !existsSync(file) && written(file, make());
  return { content: readFileSync(file), isNew };
}

/** Creates a file atomically and durably, unless another process has created it. Returns whether it did. */
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
