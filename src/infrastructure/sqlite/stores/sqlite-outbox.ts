import type { DatabaseSync } from "node:sqlite";
import type { Outbox, OutboxEntry } from "../../../domain/events/outbox.ts";
import { changeRecordIn } from "../../stores/change-record.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

const everyMs = 250;

/** Outbox in a SQLite database, in order of the changes. */
export function sqliteOutbox(database: DatabaseSync, journal: SqliteJournal): Outbox {
  const selectOldest = database.prepare("SELECT position, record FROM outbox ORDER BY position LIMIT ?");
  const deleteOne = database.prepare("DELETE FROM outbox WHERE position = ?");
  const count = database.prepare("SELECT count(*) AS entries FROM outbox");
  const version = database.prepare("PRAGMA data_version");
  const closing = new AbortController();
  let seen: unknown = version.get()?.["data_version"];

  async function read(limit: number): Promise<readonly OutboxEntry[]> {
    return selectOldest.all(limit).map((row) => {
      const text = String(row["record"]);
      const record = changeRecordIn(text);
      return { handle: Number(row["position"]), records: record && [record], text };
    });
  }

  function hasChanged(): boolean {
    const before = seen;
    try {
      seen = version.get()?.["data_version"];
    } catch {
      // The next check follows soon.
    }
    return seen !== before;
  }

  return {
    read,
    async remove(entries) {
      journal.transaction(() => {
        for (const { handle } of entries) deleteOne.run(Number(handle));
      });
    },
    async backlog() {
      const [oldest] = await read(1);
      return { entries: Number(count.get()?.["entries"]), oldest: oldest?.records?.[0]?.at };
    },
    /** For changes by other processes, SQLite only reports that the file has changed. */
    listen(listener) {
      const { signal } = closing;
      journal.listen(listener, signal);
      const timer = setInterval(() => hasChanged() && listener(), everyMs).unref();
      signal.addEventListener("abort", () => clearInterval(timer));
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
    },
  };
}
