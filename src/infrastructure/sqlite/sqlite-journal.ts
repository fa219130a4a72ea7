import { EventEmitter } from "node:events";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Batch, BatchResult } from "../../domain/admin/batch.ts";
import type { ChangeMeta, ChangeRecord, Revision } from "../../domain/admin/change.ts";
import { RevisionMismatch, StoreFull } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { isDiskFull } from "./disk-reserve.ts";

/** The last revision of an item, and its time. */
export type Head = { readonly revision: Revision; readonly at: Instant };

/** Makes room on a full disk, more with each try. Returns whether another try makes sense. */
export type MakeRoom = (attempt: number) => boolean;

const onceMs = 24 * 60 * 60 * 1_000;

/**
 * Change journal of a SQLite database: makes each change one transaction with its outbox records, and idempotent by its
 * key.
 */
export class SqliteJournal {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #makeRoom: MakeRoom;
  readonly #append: StatementSync;
  readonly #storedResult: StatementSync;
  readonly #storeResult: StatementSync;
  readonly #sweep: StatementSync;
  readonly #position: StatementSync;
  readonly #reach: StatementSync;
  readonly #events = new EventEmitter();
  #appended = false;

  constructor(database: DatabaseSync, file: string, makeRoom: MakeRoom = () => false) {
    this.#makeRoom = makeRoom;
    this.#database = database;
    this.#file = file;
    this.#append = database.prepare("INSERT INTO outbox (record) VALUES (?)");
    this.#storedResult = database.prepare("SELECT answer FROM once WHERE thing = ? AND name = ? AND at > ?");
    this.#storeResult = database.prepare("INSERT OR REPLACE INTO once (thing, name, answer, at) VALUES (?, ?, ?, ?)");
    this.#sweep = database.prepare("DELETE FROM once WHERE at <= ?");
    this.#position = database.prepare("SELECT position FROM loads WHERE name = ?");
    this.#reach = database.prepare("INSERT OR REPLACE INTO loads (name, position) VALUES (?, ?)");
  }

  /**
   * Applies a change of one item atomically and returns its result, also on a retry with the same idempotency key. An
   * urgent change makes room on a full disk. Throws `StoreFull` on a full disk, and an error that names the file if it
   * is not writable.
   */
  change<Result>(item: string, idempotencyKey: string | undefined, make: () => Result, isUrgent = false): Result {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return this.transaction(() =>
          idempotencyKey === undefined ? make() : this.#idempotent(item, idempotencyKey, make),
        );
      } catch (error) {
        if (!isUrgent || !(error instanceof StoreFull) || !this.#makeRoom(attempt)) throw error;
      }
    }
  }

  /** Runs a task in one transaction. Throws as `change` does. */
  transaction<T>(task: () => T): T {
    this.#appended = false;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      const result = task();
      this.#database.exec("COMMIT");
      if (this.#appended) this.#events.emit("appended");
      return result;
    } catch (error) {
      // Some failures have already ended the transaction.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw this.#fault(error);
    }
  }

  /**
   * Applies `make` to each item of a batch and stores the progress of the load. `make` returns whether it made a
   * record.
   */
  load<Item>({ load, from, to, items }: Batch<Item>, make: (item: Item) => boolean): BatchResult {
    return this.transaction(() => {
      const position = Number(this.#position.get(load)?.["position"] ?? 0);
      if (position !== from) return { position, records: 0 };
      let records = 0;
      for (const item of items) if (make(item)) records += 1;
      this.#reach.run(load, to);
      return { position: to, records };
    });
  }

  /** Adds a record to the outbox, as part of a change. */
  append(record: ChangeRecord): void {
    this.#append.run(JSON.stringify(record));
    this.#appended = true;
  }

  /** Calls a listener after each recorded change of this connection, until the signal aborts. */
  listen(listener: () => void, until: AbortSignal): void {
    this.#events.on("appended", listener);
    until.addEventListener("abort", () => this.#events.off("appended", listener));
  }

  /** The result of the change with an idempotency key in the last 24 h; `undefined` if there was none. */
  resultOf<Result>(item: string, key: string): Result | undefined {
    const stored = this.#storedResult.get(item, key, Date.now() - onceMs);
    return stored && JSON.parse(String(stored["answer"]));
  }

  #idempotent<Result>(item: string, key: string, make: () => Result): Result {
    const stored = this.resultOf<Result>(item, key);
    if (stored !== undefined) return stored;
    const now = Date.now();
    const result = make();
    this.#sweep.run(now - onceMs);
    this.#storeResult.run(item, key, JSON.stringify(result), now);
    return result;
  }

  #fault(error: unknown): unknown {
    if (!(error instanceof Error && "errcode" in error)) return error;
    if (isDiskFull(error, this.#file)) {
      return new StoreFull(`The disk that holds ${this.#file} is full, so nothing was changed; make room on it.`);
    }
    const { message: reason } = error;
    return new Error(`cannot write ${this.#file}: ${reason}; make it writable, or stop the other writer`, {
      cause: error,
    });
  }
}

/** The head after the next record. The first record begins an epoch. */
export const headAfter = (head: Head | undefined, id: string): Head => ({
  revision: head ? { ...head.revision, number: head.revision.number + 1 } : { epoch: id, number: 1 },
  at: Math.max(Date.now(), head?.at ?? 0),
});

/** The head after a record that begins an epoch. Time does not decrease across epochs either. */
export const epochAfter = (head: Head | undefined, id: string): Head => ({
  revision: { epoch: id, number: 1 },
  at: headAfter(head, id).at,
});

/** Reads the columns `epoch`, `number` and `at` of a row. */
export const headIn = (row: Record<string, unknown>): Head => ({
  revision: { epoch: String(row["epoch"]), number: Number(row["number"]) },
  at: Number(row["at"]),
});

/** Throws `RevisionMismatch` if the expected revision differs from the present one. */
export function demandRevision(expected: ChangeMeta["ifRevision"], present: Revision | undefined): void {
  if (expected === undefined) return;
  if (expected?.epoch !== present?.epoch || expected?.number !== present?.number) throw new RevisionMismatch();
}
