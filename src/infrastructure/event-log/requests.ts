import type { History } from "../../domain/events/history.ts";
import type { KnownStores } from "../../domain/events/known-stores.ts";
import type { UsageStore } from "../../domain/usage/usage-store.ts";
import type { EventLogLocation } from "./database/database.ts";
import type { IndexedEventLog } from "./log/sql-event-log.ts";

/** The services of the worker thread. */
export type LogServices = {
  readonly log: IndexedEventLog;
  readonly history: History & { rebuild(): Promise<void> };
  readonly stores: KnownStores;
  readonly usage: UsageStore;
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

/** Result of a call. `isPermanent`: permanent failure, otherwise temporary. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly reason: string; readonly isPermanent: boolean };

/** Message that the file of a log is lost, with the fault, or that it is back (`undefined`). */
export type FileState = { readonly log: number; readonly fault: string | undefined };
