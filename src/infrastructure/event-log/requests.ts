import type { Place } from "./database/database.ts";
import type { SqlHistory } from "./history/sql-history.ts";
import type { SqlKnownStores } from "./history/sql-known-stores.ts";
import type { SqlEventLog } from "./log/sql-event-log.ts";

/** What is asked of the thread. */
export type Answerers = {
  readonly log: Pick<SqlEventLog, keyof SqlEventLog>;
  readonly history: Pick<SqlHistory, keyof SqlHistory>;
  readonly stores: Pick<SqlKnownStores, keyof SqlKnownStores>;
};

/** The first message about a log: its number in later messages, and where it is kept. */
export type Opening = { readonly log: number; readonly place: Place };

/** A call of a method. */
export type Request = {
  readonly id: number;
  readonly log: number;
  readonly of: keyof Answerers;
  readonly method: string;
  readonly given: readonly unknown[];
};

/** The last message about a log. Its reply follows when the calls before it have ended and the database is closed. */
export type Closing = { readonly id: number; readonly log: number };

/** What a call came to. `isRefusal`: it can never be done; else it could not be at the moment. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly reason: string; readonly isRefusal: boolean };

/** That the file of a log is lost, and why; `undefined`: that it is back. */
export type FileState = { readonly log: number; readonly fault: string | undefined };
