import { createHash, randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import { firstBytes } from "../files/first-bytes.ts";
import { makeFolder } from "../files/make-folder.ts";

/** Version of the format. Increase it with each change that an earlier version cannot read. */
export const snapshotVersion = 1;
/** Longest block of the event loop at a time, in milliseconds. */
const sliceMs = 1;

/**
 * Writes JSON values, one per line, between a version line and a digest of all previous lines. Atomic, readable by its
 * owner only, in slices of 1 ms. `undefined` values are skipped.
 */
export async function writeSnapshotFile(file: string, values: Iterable<unknown>): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    makeFolder(dirname(file), 0o700);
    await using handle = await open(draft, "w", 0o600);
    const digest = createHash("sha256");
    for (const slice of slicesOf(values)) {
      digest.update(slice);
      await handle.appendFile(slice);
    }
    await handle.appendFile(lastLine(digest.digest("base64url")));
    await handle.sync();
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Reads a file and returns the result of `parse` for each value, in slices of 1 ms. `undefined` if the file is missing.
 * Rejects if the file is damaged or of another version, or if `parse` throws.
 */
export async function readSnapshotFile<T>(file: string, parse: (value: unknown) => T): Promise<T[] | undefined> {
  const found = await linesOf(file);
  if (!found) return undefined;
  const end = found.pop();
  const digest = createHash("sha256");
  for await (const line of inSlices(found)) digest.update(`${line}\n`);
  if (`${end}\n` !== lastLine(digest.digest("base64url"))) throw new Error("it is incomplete, or was edited");
  const [head = "", ...lines] = found;
  const { snapshot } = JSON.parse(head);
  if (snapshot !== snapshotVersion) throw new Error(`it has version ${snapshot} (expected ${snapshotVersion})`);
  const values: T[] = [];
  for await (const line of inSlices(lines)) values.push(parse(JSON.parse(line)));
  return values;
}

/**
 * The version of a file, 0 if it is missing or not a snapshot. Reads its beginning only.
 */
export function snapshotVersionOf(file: string): number {
  const head = firstBytes(file, 100)?.toString("latin1") ?? "";
  return Number(/^\{"snapshot":(\d+)[,}]/.exec(head)?.[1] ?? 0);
}

/** Yields the values in order, with a pause for other work after each 1 ms. */
export async function* inSlices<T>(values: Iterable<T>): AsyncIterable<T> {
  let until = performance.now() + sliceMs;
  for (const value of values) {
    yield value;
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + sliceMs;
  }
}

function* slicesOf(values: Iterable<unknown>): Iterable<Buffer> {
  let slice = `${JSON.stringify({ snapshot: snapshotVersion, at: new Date() })}\n`;
  let until = performance.now() + sliceMs;
  for (const value of values) {
    if (value !== undefined) slice += `${JSON.stringify(value)}\n`;
    if (performance.now() < until) continue;
    yield Buffer.from(slice);
    slice = "";
    until = performance.now() + sliceMs;
  }
  yield Buffer.from(slice);
}

const lastLine = (sha256: string): string => `${JSON.stringify({ sha256 })}\n`;

async function linesOf(file: string): Promise<string[] | undefined> {
  try {
    await using handle = await open(file);
    const lines: string[] = [];
    for await (const line of handle.readLines()) lines.push(line);
    return lines;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
