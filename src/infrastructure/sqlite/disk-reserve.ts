import { randomFillSync } from "node:crypto";
import { rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { constants, open, statfs } from "node:fs/promises";
import { constants as system } from "node:os";
import { repeated } from "../../application/async/repeated.ts";
import { shared } from "../../application/async/shared.ts";

const wholeBytes = 4 * 1_024 * 1_024;
/** Size of a step, in bytes: several times the pages that a change writes. */
const stepBytes = 64 * 1_024;
const fillFirstMs = 1_000;
const fillEveryMs = 10_000;

/** Codes of SQLite: the disk is full; and the same for its shared memory, which a start on a full disk meets. */
const fullCodes = [13, 4_874];
/**
 * Codes of SQLite that hide the cause: input or output failed, and a file cannot be opened. An exceeded quota causes
 * these.
 */
const unclearCodes = [10, 14];
/** Error numbers of the system. Node has no code for a quota. */
const noRoom = [system.errno.ENOSPC, system.errno.EDQUOT];

/** Whether SQLite failed because the disk of its file is full, or the quota is used up. */
export function isDiskFull(error: unknown, file: string): boolean {
  if (!(error instanceof Error && "errcode" in error)) return false;
  const code = Number(error.errcode);
  // The lowest byte of an extended code is the code itself.
  return fullCodes.includes(code) || (unclearCodes.includes(code & 0xff) && lacksRoom(file));
}

/** Whether there is no room beside a file, by writing a step there. */
function lacksRoom(file: string): boolean {
  const probe = `${file}-probe-${process.pid}`;
  try {
    writeFileSync(probe, randomFillSync(Buffer.alloc(stepBytes)), { mode: 0o600, flush: true });
    return false;
  } catch (error) {
    return error instanceof Error && "errno" in error && noRoom.includes(Math.abs(Number(error.errno)));
  } finally {
    rmSync(probe, { force: true });
  }
}

/**
 * Reserve of disk space for changes that must work on a full disk: a file beside the database that is released step by
 * step, so that other writers cannot take all of it at once. Filled if at least twice the missing space is free.
 * Several processes may share it.
 */
export class DiskReserve {
  readonly #file: string;
  readonly #content = Buffer.alloc(stepBytes);
  /** Fills the reserve as far as there is space. Rejects if that fails; the next attempt follows soon. */
  readonly fill = shared(() => this.#fill());
  readonly #fills = repeated(this.fill, fillEveryMs, () => {});

  constructor(file: string) {
    this.#file = file;
    this.#fills.start(fillFirstMs);
  }

  /** Releases one step of disk space. Returns whether there was one. */
  release(): boolean {
    const size = this.#size();
    if (size === 0) return false;
    truncateSync(this.#file, Math.max(0, size - stepBytes));
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fills.stop();
  }

  async #fill(): Promise<void> {
    const size = this.#size();
    if (size >= wholeBytes) return;
    // Never cut to nothing here: another process, or another connection, may have begun to fill it.
    await using handle = await open(this.#file, constants.O_WRONLY | constants.O_CREAT, 0o600);
    const { bavail, bsize } = await statfs(this.#file);
    if (bavail * bsize < 2 * (wholeBytes - size)) return;
    // The size during a write of another's is between two steps.
    for (let position = size - (size % stepBytes); position < wholeBytes; position += stepBytes) {
      // Compressible content takes no space on some disks.
      randomFillSync(this.#content);
      await handle.write(this.#content, 0, stepBytes, position);
    }
    await handle.sync();
  }

  #size(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }
}
