import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { waitAtMost } from "../../application/evaluation/deadline.ts";
import { EventLogUnavailable } from "../../domain/errors.ts";
import type { EventLog, RecordedEvent } from "../../domain/events/event-log.ts";
import type { History } from "../../domain/events/history.ts";
import type { KnownStores } from "../../domain/events/known-stores.ts";
import type { UsageStore } from "../../domain/usage/usage-store.ts";
import type { Log } from "../logger.ts";
import type { EventLogLocation } from "./database/database.ts";
import { renameFormer } from "./former-file.ts";
import type { Closing, FileState, LogServices, Opening, Reply, Request } from "./requests.ts";

/** An open event log with its history. Disposal closes it. */
export type OpenEventLog = AsyncDisposable & {
  readonly log: EventLog;
  readonly history: History;
  readonly stores: KnownStores;
  readonly usage: UsageStore;
  /** Rebuilds the history tables from the log, to repair damage. Blocks appends meanwhile. */
  readonly rebuild: () => Promise<void>;
};

const maxCloseMs = 2_000;

const methods: { readonly [Name in keyof LogServices]: { readonly [Method in keyof LogServices[Name]]: true } } = {
  log: {
    append: true,
    record: true,
    find: true,
    follow: true,
    one: true,
    at: true,
    head: true,
    check: true,
    verify: true,
    expire: true,
  },
  history: {
    setAt: true,
    firstRecord: true,
    lastChanges: true,
    changedFeatures: true,
    documentAt: true,
    documentsAt: true,
    keys: true,
    revisions: true,
    changesOf: true,
    documentChangesOf: true,
    rebuild: true,
  },
  stores: { enter: true, namesOf: true, hasUnclaimed: true, claim: true, hasChangesOfOthers: true },
  usage: { add: true, points: true, sums: true, lastUses: true, expire: true },
};

/**
 * Opens the event log in PostgreSQL or in a SQLite file. A worker thread runs queries, computes hashes and converts
 * JSON, so that clients do not wait for them. The first call starts the thread and opens the database. Calls that
 * cannot reach it reject with `LogUnavailable`, and the next call retries. While a SQLite file is lost ({@link
 * ../sqlite/watched-file.ts}) all calls reject, and `log` has an error. Throws `SetupFailed` if the file of version 0.1
 * cannot be renamed.
 */
export function openEventLog(location: EventLogLocation, log?: Log): OpenEventLog {
  if (location.kind === "sqlite" && location.formerFile) renameFormer(location.formerFile, location.file, log);
  const opened = new RemoteLog(location, log);
  const remote = <Name extends keyof LogServices>(service: Name): LogServices[Name] =>
    Object.fromEntries(
      Object.keys(methods[service]).map((method) => [
        method,
        (...args: unknown[]) => opened.call(service, method, args),
      ]),
    ) as unknown as LogServices[Name];
  const eventLog = remote("log");
  const record = async (events: readonly RecordedEvent[]) =>
    (await eventLog.record(events)).map(({ index, reason }) => ({ event: events[index] as RecordedEvent, reason }));
  const { rebuild, ...history } = remote("history");
  return {
    log: { ...eventLog, record },
    history,
    stores: remote("stores"),
    usage: remote("usage"),
    rebuild,
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

/** A log that the worker thread serves. */
class RemoteLog {
  readonly location: EventLogLocation;
  readonly #log: Log | undefined;
  #isClosed = false;

  constructor(location: EventLogLocation, log: Log | undefined) {
    this.location = location;
    this.#log = log;
  }

  async call(service: keyof LogServices, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) throw new EventLogUnavailable(new Error("closed"));
    return thread.send(this, { service, method, args });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await waitAtMost(maxCloseMs, thread.close(this));
    thread.abandon(this);
  }

  logFault(fault: string | undefined): void {
    if (fault === undefined) this.#log?.info("event log file is back");
    else this.#log?.error({ cause: fault }, "event log file lost; changes wait in the outbox");
  }
}

type Pending = {
  readonly log: RemoteLog;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
};

/**
 * The worker thread, shared by all logs of this process because starting one takes 250 ms of CPU time. Starts on
 * demand, and keeps the process alive only while a call is pending.
 */
class Thread {
  readonly #pending = new Map<number, Pending>();
  /** The numbers of the logs that the worker has opened. */
  readonly #numbers = new Map<RemoteLog, number>();
  #worker: Worker | undefined;
  #lastNumber = 0;

  send(log: RemoteLog, call: Pick<Request, "service" | "method" | "args">): Promise<unknown> {
    this.#worker ??= this.#start();
    let number = this.#numbers.get(log);
    if (number === undefined) {
      number = ++this.#lastNumber;
      this.#numbers.set(log, number);
      this.#worker.postMessage({ log: number, location: log.location } satisfies Opening);
    }
    return this.#send(this.#worker, log, { ...call, log: number });
  }

  /** Resolves when the log is closed after its running calls, or when the thread has ended. */
  async close(log: RemoteLog): Promise<void> {
    const number = this.#numbers.get(log);
    if (this.#worker && number !== undefined) await this.#send(this.#worker, log, { log: number }).catch(() => {});
  }

  /** Abandons the pending calls of a log. */
  abandon(log: RemoteLog): void {
    this.#numbers.delete(log);
    for (const [id, pending] of this.#pending) {
      if (pending.log !== log) continue;
      this.#pending.delete(id);
      pending.reject(new EventLogUnavailable(new Error("closed")));
    }
    if (this.#pending.size === 0) this.#worker?.unref();
  }

  #send(worker: Worker, log: RemoteLog, message: Omit<Request, "id"> | Omit<Closing, "id">): Promise<unknown> {
    const id = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      worker.postMessage({ ...message, id } satisfies Request | Closing);
      this.#pending.set(id, { log, resolve, reject });
      worker.ref();
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./event-log-worker${extname(import.meta.filename)}`, import.meta.url), {
      name: "event log",
      execArgv: [],
    });
    worker.unref();
    worker.on("message", (message: Reply | FileState) => {
      if ("id" in message) this.#settle(worker, message);
      else for (const [log, number] of this.#numbers) if (number === message.log) log.logFault(message.fault);
    });
    let cause = new Error("the worker thread ended");
    worker.on("error", (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#numbers.clear();
      for (const { reject } of this.#pending.values()) reject(new EventLogUnavailable(cause));
      this.#pending.clear();
    });
    return worker;
  }

  #settle(worker: Worker, reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) worker.unref();
    if ("value" in reply) {
      pending?.resolve(reply.value);
      return;
    }
    const fault = new Error(reply.reason);
    pending?.reject(reply.isRefusal ? fault : new EventLogUnavailable(fault));
  }
}

const thread = new Thread();
