import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Outbox, OutboxEntry } from "../../../domain/admin/outbox.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { changeRecordIn } from "../../change-record.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

const everyMs = 250;

/** Outbox in a SQLite database, in order of the changes. */
export class SqliteOutbox implements Outbox {
  readonly #journal: SqliteJournal;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;
  readonly #count: StatementSync;
  readonly #version: StatementSync;
  readonly #closing = new AbortController();
  #seen: unknown;

  constructor(database: DatabaseSync, journal: SqliteJournal) {
    this.#journal = journal;
    this.#oldest = database.prepare("SELECT position, record FROM outbox ORDER BY position LIMIT ?");
    this.#delete = database.prepare("DELETE FROM outbox WHERE position = ?");
    this.#count = database.prepare("SELECT count(*) AS entries FROM outbox");
    this.#version = database.prepare("PRAGMA data_version");
    this.#seen = this.#version.get()?.["data_version"];
  }

  async read(limit: number): Promise<readonly OutboxEntry[]> {
    return this.#oldest.all(limit).map((row) => {
      const text = String(row["record"]);
      const record = changeRecordIn(text);
      return { handle: Number(row["position"]), records: record && [record], text };
    });
  }

  async remove(entries: readonly OutboxEntry[]): Promise<void> {
    this.#journal.transaction(() => {
      for (const { handle } of entries) this.#delete.run(Number(handle));
    });
  }

  async backlog(): Promise<{ readonly entries: number; readonly oldest: Instant | undefined }> {
    const [oldest] = await this.read(1);
    return { entries: Number(this.#count.get()?.["entries"]), oldest: oldest?.records?.[0]?.at };
  }

  /** For changes by other processes, SQLite only reports that the file has changed. */
  listen(listener: () => void): void {
    const { signal } = this.#closing;
    this.#journal.listen(listener, signal);
    const timer = setInterval(() => this.#hasChanged() && listener(), everyMs).unref();
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
  }

  #hasChanged(): boolean {
    const before = this.#seen;
    try {
      this.#seen = this.#version.get()?.["data_version"];
    } catch {
      // The next check follows soon.
    }
    return this.#seen !== before;
  }
}
