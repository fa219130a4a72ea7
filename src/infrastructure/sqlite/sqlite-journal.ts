import { EventEmitter } from "node:events";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Batch, BatchResult } from "../../domain/admin/batch.ts";
import type { ChangeMeta, ChangeRecord, Revision } from "../../domain/admin/change.ts";
import { RevisionMismatch, StoreFull } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** How far the records of one thing have come. */
export type Head = { readonly revision: Revision; readonly at: Instant };

const onceMs = 24 * 60 * 60 * 1_000;
const full = 13;

/**
 * What all changes of a SQLite database have in common: each is one transaction, with its records in the outbox, and
 * made once under a name.
 */
export class SqliteJournal {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #release: () => boolean;
  readonly #append: StatementSync;
  readonly #answer: StatementSync;
  readonly #keep: StatementSync;
  readonly #sweep: StatementSync;
  readonly #position: StatementSync;
  readonly #reach: StatementSync;
  readonly #events = new EventEmitter();
  #appended = false;

  /** `release` makes some room on a full disk; returns whether it did. */
  constructor(database: DatabaseSync, file: string, release: () => boolean = () => false) {
    this.#release = release;
    this.#database = database;
    this.#file = file;
    this.#append = database.prepare("INSERT INTO outbox (record) VALUES (?)");
    this.#answer = database.prepare("SELECT answer FROM once WHERE thing = ? AND name = ? AND at > ?");
    this.#keep = database.prepare("INSERT OR REPLACE INTO once (thing, name, answer, at) VALUES (?, ?, ?, ?)");
    this.#sweep = database.prepare("DELETE FROM once WHERE at <= ?");
    this.#position = database.prepare("SELECT position FROM loads WHERE name = ?");
    this.#reach = database.prepare("INSERT OR REPLACE INTO loads (name, position) VALUES (?, ?)");
  }

  /**
   * Makes a change of one thing whole or not at all, and answers what it did; also where it was made under this name
   * before. An urgent one uses the reserve of a full disk. Throws `StoreFull` when the disk is, and an error that names
   * the file when it cannot be written.
   */
  change<Answer>(thing: string, once: string | undefined, make: () => Answer, isUrgent = false): Answer {
    while (true) {
      try {
        return this.transaction(() => (once === undefined ? make() : this.#once(thing, once, make)));
      } catch (error) {
        if (!isUrgent || !(error instanceof StoreFull) || !this.#release()) throw error;
      }
    }
  }

  /** Does all that a task does, or nothing. Throws as `change` does. */
  transaction<T>(task: () => T): T {
    this.#appended = false;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      const result = task();
      this.#database.exec("COMMIT");
      if (this.#appended) this.#events.emit("appended");
      return result;
    } catch (error) {
      // Some failures have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw this.#fault(error);
    }
  }

  /** Puts each thing of a batch into the store, with what answers whether it made a record; and remembers how far the load has come. */
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

  /** Puts a record into the outbox, as part of a change. */
  append(record: ChangeRecord): void {
    this.#append.run(JSON.stringify(record));
    this.#appended = true;
  }

  /** Calls a listener after each change by this connection that was recorded, until the signal. */
  listen(listener: () => void, until: AbortSignal): void {
    this.#events.on("appended", listener);
    until.addEventListener("abort", () => this.#events.off("appended", listener));
  }

  #once<Answer>(thing: string, name: string, make: () => Answer): Answer {
    const now = Date.now();
    const kept = this.#answer.get(thing, name, now - onceMs);
    if (kept) return JSON.parse(String(kept["answer"]));
    const answer = make();
    this.#sweep.run(now - onceMs);
    this.#keep.run(thing, name, JSON.stringify(answer), now);
    return answer;
  }

  #fault(error: unknown): unknown {
    if (!(error instanceof Error && "errcode" in error)) return error;
    // The low byte is the code; those above tell more of it.
    if ((Number(error.errcode) & 0xff) === full) {
      return new StoreFull(`The disk that holds ${this.#file} is full, so nothing was changed; make room on it.`);
    }
    const { message: reason } = error;
    return new Error(`${this.#file} cannot be written: ${reason}; make it writable, or close what else writes it`, {
      cause: error,
    });
  }
}

/** The head after one more record; the first of all begins an epoch. */
export const headAfter = (head: Head | undefined, id: string): Head => ({
  revision: head ? { ...head.revision, number: head.revision.number + 1 } : { epoch: id, number: 1 },
  at: Math.max(Date.now(), head?.at ?? 0),
});

/** Reads a row's columns `epoch`, `number` and `at`. */
export const headIn = (row: Record<string, unknown>): Head => ({
  revision: { epoch: String(row["epoch"]), number: Number(row["number"]) },
  at: Number(row["at"]),
});

/** Throws `RevisionMismatch` where a change was made for another revision than the present one. */
export function demandRevision(wanted: ChangeMeta["ifRevision"], present: Revision | undefined): void {
  if (wanted === undefined) return;
  if (wanted?.epoch !== present?.epoch || wanted?.number !== present?.number) throw new RevisionMismatch();
}
