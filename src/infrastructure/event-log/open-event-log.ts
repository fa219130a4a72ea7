import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { waitAtMost } from "../../application/async/deadline.ts";
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
    lastChangeOf: true,
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
 * JSON, so that clients do not wait for them. With `inProcess` this thread does so instead, because a process that runs
 * one command ends before a worker thread has started. The first call starts the thread and opens the database. Calls
 * that cannot reach it reject with `EventLogUnavailable`, and the next call retries. While a SQLite file is lost
 * ({@link ../sqlite/watched-file.ts}) all calls reject, and `log` has an error. Throws `SetupFailed` if the file of
 * version 0.1 cannot be renamed.
 */
export function openEventLog(
  location: EventLogLocation,
  log?: Log,
  { inProcess = false }: { readonly inProcess?: boolean } = {},
): OpenEventLog {
  if (location.kind === "sqlite" && location.formerFile) renameFormer(location.formerFile, location.file, log);
  const opened = new RemoteLog(location, log, inProcess ? localServer : threadServer);
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

/** A log that a server serves. */
class RemoteLog {
  readonly location: EventLogLocation;
  readonly #log: Log | undefined;
  readonly #server: LogServer;
  #isClosed = false;

  constructor(location: EventLogLocation, log: Log | undefined, server: LogServer) {
    this.location = location;
    this.#log = log;
    this.#server = server;
  }

  async call(service: keyof LogServices, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) throw new EventLogUnavailable(new Error("the event log is closed"));
    return this.#server.send(this, { service, method, args });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await waitAtMost(maxCloseMs, this.#server.close(this));
    this.#server.abandon(this);
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

type Channel = Pick<Worker, "ref" | "unref"> & {
  postMessage(message: Opening | Request | Closing): void;
};

/** Opens a channel to a server of logs. `lost` is called when the server has ended. */
type Start = (receive: (message: Reply | FileState) => void, lost: (cause: Error) => void) => Channel;

/** Serves all logs of this process. Starts on demand, and keeps the process alive only while a call is pending. */
class LogServer {
  readonly #start: Start;
  readonly #pending = new Map<number, Pending>();
  /** The numbers of the logs that the server has opened. */
  readonly #numbers = new Map<RemoteLog, number>();
  #channel: Channel | undefined;
  #lastNumber = 0;

  constructor(start: Start) {
    this.#start = start;
  }

  send(log: RemoteLog, call: Pick<Request, "service" | "method" | "args">): Promise<unknown> {
    this.#channel ??= this.#open();
    let number = this.#numbers.get(log);
    if (number === undefined) {
      number = ++this.#lastNumber;
      this.#numbers.set(log, number);
      this.#channel.postMessage({ log: number, location: log.location });
    }
    return this.#send(this.#channel, log, { ...call, log: number });
  }

  /** Resolves when the log is closed after its running calls, or when the server has ended. */
  async close(log: RemoteLog): Promise<void> {
    const number = this.#numbers.get(log);
    if (this.#channel && number !== undefined) await this.#send(this.#channel, log, { log: number }).catch(() => {});
  }

  /** Abandons the pending calls of a log. */
  abandon(log: RemoteLog): void {
    this.#numbers.delete(log);
    for (const [id, pending] of this.#pending) {
      if (pending.log !== log) continue;
      this.#pending.delete(id);
      pending.reject(new EventLogUnavailable(new Error("the event log is closed")));
    }
    if (this.#pending.size === 0) this.#channel?.unref();
  }

  #send(channel: Channel, log: RemoteLog, message: Omit<Request, "id"> | Omit<Closing, "id">): Promise<unknown> {
    const id = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      channel.postMessage({ ...message, id });
      this.#pending.set(id, { log, resolve, reject });
      channel.ref();
    });
  }

  #open(): Channel {
    const channel = this.#start(
      (message) => {
        if ("id" in message) this.#settle(channel, message);
        else for (const [log, number] of this.#numbers) if (number === message.log) log.logFault(message.fault);
      },
      (cause) => {
        this.#channel = undefined;
        this.#numbers.clear();
        for (const { reject } of this.#pending.values()) reject(new EventLogUnavailable(cause));
        this.#pending.clear();
      },
    );
    return channel;
  }

  #settle(channel: Channel, reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) channel.unref();
    if ("value" in reply) {
      pending?.resolve(reply.value);
      return;
    }
    const fault = new Error(reply.reason);
    pending?.reject(reply.isPermanent ? fault : new EventLogUnavailable(fault));
  }
}

/** A worker thread, shared by all logs because starting one takes 250 ms of CPU time. */
const threadServer = new LogServer((receive, lost) => {
  const worker = new Worker(new URL(`./event-log-worker${extname(import.meta.filename)}`, import.meta.url), {
    name: "event log",
    execArgv: [],
  });
  let cause = new Error("the worker thread ended");
  worker.unref();
  worker.on("message", receive);
  worker.on("error", (error) => {
    cause = error instanceof Error ? error : new Error(String(error));
  });
  worker.on("exit", () => lost(cause));
  return worker;
});

/** This thread. Loads the databases on the first call. */
const localServer = new LogServer((receive) => {
  const server = import("./serve-event-logs.ts").then(({ serveEventLogs }) => serveEventLogs(receive));
  return { postMessage: (message) => void server.then((serve) => serve(message)), ref: () => {}, unref: () => {} };
});
