import { closeSync, openSync, readSync } from "node:fs";

/**
 * The first bytes of a file, zeros after its end. `undefined` if the file is missing or unreadable; opening it reports
 * why.
 */
export function firstBytes(file: string, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    readSync(descriptor, bytes, 0, length, 0);
    return bytes;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
