import { type BigIntStats, existsSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { errorMessage } from "../../domain/error-message.ts";

/** The mark of a database: its identity, and a number that never decreases. */
type Mark = { readonly identity: string; readonly revision: number };

/** How the mark of a database is read. */
export type MarkOptions = {
  /** Returns a row with the columns `identity` and `revision`. */
  readonly select: string;
  /** Whether a statement may decrease the number without a loss, because another check covers that. */
  readonly mayRollBack: boolean;
};

const checkEveryMs = 100;
/** Checks within this time after the last one return its result, in milliseconds. */
const recentMs = 5;
/** A checkpoint writes the file page by page, so a single read proves nothing. */
const provingReads = 3;

/**
 * Watched file: detects that the path of an open SQLite database (in WAL mode) leads to another file, or that something
 * other than SQLite has overwritten its content. Further writes would be lost, or mixed with the content of another
 * file.
 *
 * Checks ten times per second: device and inode of the path and of the files that SQLite has beside it, and the mark of
 * the database, both as committed and in the main file without the write-ahead log. Recovers when the right file is
 * back.
 */
export class WatchedFile {
  readonly #file: string;
  readonly #options: MarkOptions;
  readonly #report: (fault: string | undefined) => void;
  /**
   * Reads committed data. If this connection closes last, SQLite leaves the file and the write-ahead log unchanged,
   * because the connection is read-only.
   */
  readonly #reader: DatabaseSync;
  readonly #committed: StatementSync;
  readonly #opened: BigIntStats;
  /** The write-ahead log and its index, by path. SQLite keeps both while a connection is open. */
  readonly #beside: ReadonlyMap<string, BigIntStats>;
  readonly #timer: NodeJS.Timeout;
  #last: Mark;
  /** The mark in the main file. `undefined` before the first checkpoint. */
  #inFile: Mark | undefined;
  #changedAt: bigint | undefined;
  #badReads = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #fault: string | undefined;
  /** Whether only a file beside the database was lost. */
  #isLostBeside = false;

  /** `report` receives the fault when the file is lost, and `undefined` when it is back. Throws SQLite errors. */
  constructor(file: string, options: MarkOptions, report: (fault: string | undefined) => void) {
    this.#file = file;
    this.#options = options;
    this.#report = report;
    this.#reader = new DatabaseSync(file, { readOnly: true });
    this.#committed = this.#reader.prepare(options.select);
    this.#opened = statSync(file, { bigint: true });
    this.#last = markOf(this.#committed);
    this.#beside = new Map(
      [`${file}-wal`, `${file}-shm`].flatMap((path) => {
        const opened = statSync(path, { bigint: true, throwIfNoEntry: false });
        return opened ? [[path, opened] as const] : [];
      }),
    );
    this.check();
    this.#timer = setInterval(() => this.check(), checkEveryMs).unref();
  }

  /** Whether the file was lost at the last check. */
  get isLost(): boolean {
    return this.#fault !== undefined;
  }

  /** Throws an error with the fault and the fix while the file is lost. */
  throwIfLost(): void {
    if (this.#fault !== undefined) throw new Error(this.#fault);
  }

  /** Runs a check now. */
  check(): void {
    const now = performance.now();
    if (now - this.#checkedAt < recentMs) return;
    this.#checkedAt = now;
    const fault = this.#find();
    const isNews = (fault === undefined) !== (this.#fault === undefined);
    this.#fault = fault;
    if (isNews) this.#report(fault);
  }

  /** Stops the checks, and calls `closeDatabase` to close the writing connection. */
  async close(closeDatabase: () => void | Promise<void>): Promise<void> {
    clearInterval(this.#timer);
    this.check();
    // A removed log is written to the file, unless another process has begun a new one.
    const isKept = !this.isLost || (this.#isLostBeside && !this.#hasOthersBeside());
    if (!isKept) await closeDatabase();
    this.#reader.close();
    if (isKept) await closeDatabase();
  }

  #hasOthersBeside(): boolean {
    return [...this.#beside].some(([path, opened]) => existsSync(path) && !isAt(path, opened));
  }

  #find(): string | undefined {
    this.#isLostBeside = false;
    const found = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    if (!found) return `${this.#file} was removed while in use; put it back, or restore a backup and restart`;
    if (found.ino !== this.#opened.ino || found.dev !== this.#opened.dev) {
      return `${this.#file} was replaced by another file while in use; put it back, or restart to use the other one`;
    }
    for (const [path, opened] of this.#beside) {
      this.#isLostBeside = !isAt(path, opened);
      if (this.#isLostBeside) return `${path} was removed or replaced while in use; put it back, or restart`;
    }
    const overwritten = `${this.#file} was overwritten while in use; stop Tidegate, restore the file without its -wal and -shm, and start`;
    try {
      return this.#isRolledBack() || this.#isOverwritten(found.ctimeNs) ? overwritten : undefined;
    } catch (cause) {
      const reason = errorMessage(cause);
      if (/locked|busy/.test(reason)) return this.#fault;
      // It was a database when it was opened.
      if (/not a database|malformed/.test(reason)) return overwritten;
      return `${this.#file} cannot be read: ${reason}; repair it, or restore a backup and restart`;
    }
  }

  /** Whether the committed data is of another database, or older than at the previous check. */
  #isRolledBack(): boolean {
    const mark = markOf(this.#committed);
    if (!follows(mark, this.#last)) {
      if (!this.#options.mayRollBack || mark.identity !== this.#last.identity) return true;
      this.#inFile = undefined;
    }
    this.#last = mark;
    return false;
  }

  /** Whether the main file has content that SQLite did not write. Read only after a change of the file. */
  #isOverwritten(changedAt: bigint): boolean {
    if (changedAt === this.#changedAt) return this.#badReads > 0;
    const mark = this.#markInFile();
    const isBad = this.#inFile ? !follows(mark, this.#inFile) : mark && mark.identity !== this.#last.identity;
    this.#badReads = isBad ? this.#badReads + 1 : 0;
    if (isBad && this.#badReads < provingReads) return false;
    this.#changedAt = changedAt;
    if (!isBad) this.#inFile = mark ?? this.#inFile;
    return Boolean(isBad);
  }

  /** The mark in the main file, without the write-ahead log and the page cache of this process. */
  #markInFile(): Mark | undefined {
    const url = pathToFileURL(this.#file);
    url.searchParams.set("immutable", "1");
    try {
      using raw = new DatabaseSync(url, { readOnly: true });
      return markOf(raw.prepare(this.#options.select));
    } catch {
      return undefined;
    }
  }
}

/** Whether a path leads to an open file. */
function isAt(path: string, opened: BigIntStats): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found?.ino === opened.ino && found.dev === opened.dev;
}

function markOf(statement: StatementSync): Mark {
  const row = statement.get();
  if (!row) throw new Error("it has no mark");
  return { identity: String(row["identity"]), revision: Number(row["revision"]) };
}

const follows = (mark: Mark | undefined, earlier: Mark): boolean =>
  mark?.identity === earlier.identity && mark.revision >= earlier.revision;
