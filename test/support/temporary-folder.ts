import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { availableMemory } from "node:process";

const memory = "/dev/shm";
const neededBytes = 3 * 1_024 ** 3;
const prefix = "tidegate-tests-";

/**
 * Creates the temporary folder of the test run (`TMPDIR`), and removes it at the end. It is in memory where that has
 * 3 GB free, unless `TMPDIR` is set: a database commits there in 0.03 ms, and on a disk in 5 ms.
 */
export function setup(): () => void {
  const folder = (process.env["TMPDIR"] ? undefined : inMemory()) ?? create(tmpdir());
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** A folder in memory, or `undefined` where that is too small or runs no programs, as in a container. */
function inMemory(): string | undefined {
  let folder: string | undefined;
  try {
    for (const name of readdirSync(memory).filter(isLeftOver)) removeLeftOver(join(memory, name));
    const { bavail, bsize } = statfsSync(memory);
    if (Math.min(bavail * bsize, availableMemory()) < neededBytes) return undefined;
    folder = create(memory);
    const program = join(folder, "program");
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o700 });
    if (spawnSync(program).status === 0) return folder;
  } catch {
    // There is no such folder, or it is not writable.
  }
  if (folder) rmSync(folder, { recursive: true });
  return undefined;
}

function removeLeftOver(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    console.error(`${folder} of an earlier test run cannot be removed: ${(error as Error).message}`);
  }
}

/** PostgreSQL runs as another user, which must be able to enter the folder. */
function create(parent: string): string {
  const folder = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  chmodSync(folder, 0o711);
  return folder;
}

/** Whether a killed test run left this folder. */
function isLeftOver(name: string): boolean {
  if (!name.startsWith(prefix)) return false;
  try {
    process.kill(Number.parseInt(name.slice(prefix.length), 10), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
