import { readFileSync, type Stats, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Latest, type OnPolled, type PolledDocument } from "./latest.ts";
import { utf8Text } from "./utf8-text.ts";

const checkEveryMs = 250;
const largestFile = 10 * 1024 * 1024;

/**
 * Polls a file of at most 10 MiB. Reads it before returning, and again once it has changed and then been stable for
 * 250 ms, so that partial writes are not read. `parse` throws for invalid text; the previous content then stays in use.
 */
export function pollFile<T>(file: string, parse: (text: string) => T, changed: OnPolled): PolledDocument<T> {
  const latest = new Latest<T>((fault) => changed(fault && `${file} cannot be used: ${fault}`));
  let seen: string;
  let read: string;
  try {
    const stats = statSync(file);
    seen = markOf(stats);
    checkReadable(stats);
    latest.set(parse(utf8Text(readFileSync(file))));
  } catch (cause) {
    seen = markOf(undefined);
    latest.failed(cause);
  }
  read = seen;

  const check = async (): Promise<void> => {
    const previous = seen;
    const stats = await stat(file).catch((cause: Error) => cause);
    seen = markOf(stats);
    if (seen === read || seen !== previous) return;
    read = seen;
    try {
      if (stats instanceof Error) throw stats;
      checkReadable(stats);
      latest.set(parse(utf8Text(await readFile(file))));
    } catch (cause) {
      latest.failed(cause);
    }
  };

  let checking: Promise<void> | undefined;
  const timer = setInterval(() => {
    checking ??= check().finally(() => {
      checking = undefined;
    });
  }, checkEveryMs);
  timer.unref();
  return {
    read: () => latest.read(),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await checking;
    },
  };
}

/** Changes if the file is written or replaced. */
const markOf = (stats: Stats | Error | undefined): string =>
  stats === undefined || stats instanceof Error
    ? "missing"
    : [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join();

function checkReadable(stats: Stats): void {
  // Reading a pipe would block until something writes to it.
  if (!stats.isFile()) throw new Error("is not a regular file");
  if (stats.size > largestFile) throw new Error(`is larger than ${largestFile} bytes`);
}
