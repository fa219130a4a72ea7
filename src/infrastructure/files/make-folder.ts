import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates a folder with its missing parents. Throws file system errors, also where Node's option `recursive` never
 * returns: file systems such as /proc answer `ENOENT` below a folder that exists.
 */
export function makeFolder(folder: string, mode?: number): void {
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && makeParent(folder, mode)) mkdirSync(folder, mode);
    // A folder on a read-only file system, for example.
    else if (!isFolder(folder)) throw code === "EEXIST" ? new Error(`${folder} is not a folder`) : error;
  }
}

/** Returns whether the parent was missing. */
function makeParent(folder: string, mode: number | undefined): boolean {
  const parent = dirname(folder);
  if (isFolder(parent)) return false;
  makeFolder(parent, mode);
  return true;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
