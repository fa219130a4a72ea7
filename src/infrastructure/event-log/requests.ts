import type { EventLogLocation } from "./database/database.ts";
import type { SqlHistory } from "./history/sql-history.ts";
import type { SqlKnownStores } from "./history/sql-known-stores.ts";
import type { SqlEventLog } from "./log/sql-event-log.ts";
import type { SqlUsage } from "./usage/sql-usage.ts";

/** The services of the worker thread. */
export type LogServices = {
  readonly log: Pick<SqlEventLog, keyof SqlEventLog>;
  readonly history: Pick<SqlHistory, keyof SqlHistory>;
  readonly stores: Pick<SqlKnownStores, keyof SqlKnownStores>;
  readonly usage: Pick<SqlUsage, keyof SqlUsage>;
};

/** First message about a log: its number in later messages, and its location. */
export type Opening = { readonly log: number; readonly location: EventLogLocation };

/** A method call. */
export type Request = {
  readonly id: number;
  readonly log: number;
  readonly service: keyof LogServices;
  readonly method: string;
  readonly args: readonly unknown[];
};

/** Last message about a log. The reply follows when earlier calls have ended and the database is closed. */
export type Closing = { readonly id: number; readonly log: number };

/** Result of a call. `isRefusal`: permanent failure, otherwise temporary. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly reason: string; readonly isRefusal: boolean };

/** Message that the file of a log is lost, with the fault, or that it is back (`undefined`). */
export type FileState = { readonly log: number; readonly fault: string | undefined };
