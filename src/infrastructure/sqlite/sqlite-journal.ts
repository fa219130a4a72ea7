import { EventEmitter } from "node:events";
import type { DatabaseSync } from "node:sqlite";
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
export function sqliteJournal(database: DatabaseSync, file: string, makeRoom: MakeRoom = () => false) {
  const insertRecord = database.prepare("INSERT INTO outbox (record) VALUES (?)");
  const selectResult = database.prepare("SELECT answer FROM once WHERE thing = ? AND name = ? AND at > ?");
  const upsertResult = database.prepare("INSERT OR REPLACE INTO once (thing, name, answer, at) VALUES (?, ?, ?, ?)");
  const deleteResults = database.prepare("DELETE FROM once WHERE at <= ?");
  const selectPosition = database.prepare("SELECT position FROM loads WHERE name = ?");
  const upsertPosition = database.prepare("INSERT OR REPLACE INTO loads (name, position) VALUES (?, ?)");
  const events = new EventEmitter();
  let appended = false;

  /**
   * Applies a change of one item atomically and returns its result, also on a retry with the same idempotency key. An
   * urgent change makes room on a full disk. Throws `StoreFull` on a full disk, and an error that names the file if it
   * is not writable.
   */
  function change<Result>(
    item: string,
    idempotencyKey: string | undefined,
    make: () => Result,
    isUrgent = false,
  ): Result {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return transaction(() => (idempotencyKey === undefined ? make() : idempotent(item, idempotencyKey, make)));
      } catch (error) {
        if (!isUrgent || !(error instanceof StoreFull) || !makeRoom(attempt)) throw error;
      }
    }
  }

  /** Runs a task in one transaction. Throws as `change` does. */
  function transaction<T>(task: () => T): T {
    appended = false;
    try {
      database.exec("BEGIN IMMEDIATE");
      const result = task();
      database.exec("COMMIT");
      if (appended) events.emit("appended");
      return result;
    } catch (error) {
      // Some failures have already ended the transaction.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw fault(error);
    }
  }

  /**
   * Applies `make` to each item of a batch and stores the progress of the load. `make` returns whether it made a
   * record.
   */
  function load<Item>({ load, from, to, items }: Batch<Item>, make: (item: Item) => boolean): BatchResult {
    return transaction(() => {
      const position = Number(selectPosition.get(load)?.["position"] ?? 0);
      if (position !== from) return { position, records: 0 };
      let records = 0;
      for (const item of items) if (make(item)) records += 1;
      upsertPosition.run(load, to);
      return { position: to, records };
    });
  }

  /** Adds a record to the outbox, as part of a change. */
  function append(record: ChangeRecord): void {
    insertRecord.run(JSON.stringify(record));
    appended = true;
  }

  /** Calls a listener after each recorded change of this connection, until the signal aborts. */
  function listen(listener: () => void, until: AbortSignal): void {
    events.on("appended", listener);
    until.addEventListener("abort", () => events.off("appended", listener));
  }

  /** The result of the change with an idempotency key in the last 24 h; `undefined` if there was none. */
  function resultOf<Result>(item: string, key: string): Result | undefined {
    const stored = selectResult.get(item, key, Date.now() - onceMs);
    return stored && JSON.parse(String(stored["answer"]));
  }

  function idempotent<Result>(item: string, key: string, make: () => Result): Result {
    const stored = resultOf<Result>(item, key);
    if (stored !== undefined) return stored;
    const now = Date.now();
    const result = make();
    deleteResults.run(now - onceMs);
    upsertResult.run(item, key, JSON.stringify(result), now);
    return result;
  }

  function fault(error: unknown): unknown {
    if (!(error instanceof Error && "errcode" in error)) return error;
    if (isDiskFull(error, file)) {
      return new StoreFull(`The disk that holds ${file} is full, so nothing was changed; make room on it.`);
    }
    const { message: reason } = error;
    return new Error(`cannot write ${file}: ${reason}; make it writable, or stop the other writer`, {
      cause: error,
    });
  }

  return { change, transaction, load, append, listen, resultOf };
}

export type SqliteJournal = ReturnType<typeof sqliteJournal>;

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
