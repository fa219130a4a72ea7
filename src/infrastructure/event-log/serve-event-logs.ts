import { withDeadline } from "../../application/async/deadline.ts";
import { errorMessage } from "../../domain/error-message.ts";
import { WatchedFile } from "../sqlite/watched-file.ts";
import { type Database, type EventLogLocation, openDatabase } from "./database/database.ts";
import { logMark } from "./database/sqlite.ts";
import { sqlHistory } from "./history/sql-history.ts";
import { sqlKnownStores } from "./history/sql-known-stores.ts";
import { sqlEventLog, UnstorableEvent } from "./log/sql-event-log.ts";
import type { Closing, FileState, LogServices, Opening, Reply, Request } from "./requests.ts";
import { sqlUsage } from "./usage/sql-usage.ts";

/** Limit for a call's wait until the database is open. Migrations may take longer. */
const maxOpenMs = 2_000;

type Opened = LogServices & { readonly database: Database; readonly watch: WatchedFile | undefined };

type Send = (message: Reply | FileState) => void;

/** Serves event logs by messages. Returns the receiver of messages; `send` gets the replies. */
export function serveEventLogs(send: Send): (message: Opening | Request | Closing) => void {
  const logs = new Map<number, ServedLog>();
  return (message) => {
    const log = logs.get(message.log);
    if ("location" in message) {
      logs.set(message.log, new ServedLog(message, send));
    } else if ("method" in message) {
      log?.call(message);
    } else {
      logs.delete(message.log);
      void log?.close(message);
    }
  };
}

class ServedLog {
  readonly #number: number;
  readonly #location: EventLogLocation;
  readonly #send: Send;
  readonly #underWay = new Set<Promise<void>>();
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  constructor({ log, location }: Opening, send: Send) {
    this.#number = log;
    this.#location = location;
    this.#send = send;
  }

  call(request: Request): void {
    const call = this.#reply(request).then((reply) => {
      this.#underWay.delete(call);
      this.#send(reply);
    });
    this.#underWay.add(call);
  }

  /** Closes the database after the running calls. */
  async close({ id }: Closing): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#opening?.catch(() => {});
    const { database, watch } = this.#opened ?? {};
    const close = async () => database?.close();
    await (watch ? watch.close(close) : close());
    this.#send({ id, value: undefined });
  }

  async #reply({ id, service, method, args }: Request): Promise<Reply> {
    try {
      const { watch, ...all } = await this.#services();
      watch?.check();
      watch?.throwIfLost();
      const methods = all[service] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      return { id, value: await methods[method]?.(...args) };
    } catch (error) {
      return { id, reason: textOf(error), isPermanent: error instanceof UnstorableEvent };
    }
  }

  /** Opens the database on first use, and again after a failure. */
  async #services(): Promise<Opened> {
    if (this.#opened) return this.#opened;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    const opening = this.#opening;
    return withDeadline(maxOpenMs, () => opening, "migration in progress");
  }

  async #open(): Promise<Opened> {
    const database = await openDatabase(this.#location);
    const report = (fault: string | undefined) => this.#send({ log: this.#number, fault });
    const watch = this.#location.kind === "sqlite" ? new WatchedFile(this.#location.file, logMark, report) : undefined;
    this.#opened = {
      database,
      watch,
      log: sqlEventLog(database),
      history: sqlHistory(database),
      stores: sqlKnownStores(database),
      usage: sqlUsage(database),
    };
    return this.#opened;
  }
}

/** The message of an error. An AggregateError for several addresses has none of its own. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join("; ");
  return errorMessage(error);
}
