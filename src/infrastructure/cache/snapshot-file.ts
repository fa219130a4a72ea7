import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";

const version = 1;
/** For how long the event loop is kept from other work at a time. */
const sliceMs = 1;

/**
 * Writes JSON values, a line each, between a line with the version and one with the digest of all before: whole or not
 * at all, readable for its owner only, in slices of a millisecond. What is `undefined` is left out.
 */
export async function writeSnapshotFile(file: string, values: Iterable<unknown>): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
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
 * What `parse` makes of each value in a file, also in slices; `undefined` where there is none. Rejects where it is not as it was
 * written, is of another version, or `parse` throws.
 */
export async function readSnapshotFile<T>(file: string, parse: (value: unknown) => T): Promise<T[] | undefined> {
  const found = await linesOf(file);
  if (!found) return undefined;
  const end = found.pop();
  const digest = createHash("sha256");
  for await (const line of inSlices(found)) digest.update(`${line}\n`);
  if (`${end}\n` !== lastLine(digest.digest("base64url"))) throw new Error("it is torn, or was edited");
  const [head = "", ...lines] = found;
  const { snapshot } = JSON.parse(head);
  if (snapshot !== version) throw new Error(`it is of version ${snapshot}, and not ${version}`);
  const values: T[] = [];
  for await (const line of inSlices(lines)) values.push(parse(JSON.parse(line)));
  return values;
}

/** The values one after the other, with a pause for other work after each millisecond. */
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
  let slice = `${JSON.stringify({ snapshot: version, at: new Date() })}\n`;
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
