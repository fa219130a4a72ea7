import { existsSync, renameSync } from "node:fs";
import type { Log } from "../logger.ts";
import { SetupFailed } from "../setup-failed.ts";

/**
 * Renames the event log of version 0.1 with its `-wal` and `-shm`, unless `file` exists. Safe for concurrent processes,
 * and after a crash in between: each process completes what another one began, and `file` appears last. Throws
 * `SetupFailed` if a file cannot be renamed, or if a `-wal` of another database is in the way.
 */
export function renameFormer(former: string, file: string, log: Log | undefined): void {
  const claimed = `${file}.renaming`;
  if (existsSync(file)) {
    if (existsSync(former)) log?.warn({ file, ignored: former }, "two event logs found; the old one is ignored");
    return;
  }
  // In this order: `former` disappears before anything else changes.
  if (existsSync(`${file}-wal`) && existsSync(former)) {
    throw new SetupFailed(`cannot rename ${former}: ${file}-wal belongs to another database; remove it`);
  }
  const isClaimed = rename(former, claimed);
  if (!existsSync(claimed)) return;
  for (const suffix of ["-wal", "-shm"]) rename(former + suffix, file + suffix);
  rename(claimed, file);
  if (isClaimed) log?.info({ from: former, to: file }, "event log renamed");
}

/** Whether the file was there. */
function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    throw new SetupFailed(`${message}; make the folder writable`);
  }
}
