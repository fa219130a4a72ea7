import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { waitAtMost } from "../../application/deadline.ts";
import type { ActivityLog, RecordedEvent } from "../../domain/activity-log.ts";
import { LogUnavailable } from "../../domain/errors.ts";
import type { History } from "../../domain/history.ts";
import type { Log } from "../logger.ts";
import type { Place } from "./database.ts";
import { type Answerers, type FileState, noMore, type Reply, type Request } from "./requests.ts";

/** The activity log, and what it tells of the past. Disposing of it closes it. */
export type Activity = AsyncDisposable & {
  readonly log: ActivityLog;
  readonly history: History;
  /** Derives anew from the log what the history is told from, for when that was damaged. Nothing is recorded meanwhile. */
  readonly rebuild: () => Promise<void>;
};

const longestCloseMs = 2_000;

const methods: { readonly [Of in keyof Answerers]: { readonly [Method in keyof Answerers[Of]]: true } } = {
  log: {
    append: true,
    record: true,
    find: true,
    follow: true,
    one: true,
    head: true,
    check: true,
    verify: true,
    expire: true,
  },
  history: {
    setAt: true,
    firstRecord: true,
    turns: true,
    documentAt: true,
    documentsAt: true,
    keys: true,
    revisions: true,
    changesOf: true,
    documentChangesOf: true,
    rebuild: true,
  },
};

/**
 * The activity log in PostgreSQL or in a SQLite file. A thread of its own asks the database, computes hashes and writes and reads
 * JSON, so that no client waits for it. It is started, and the database opened, with the first call; what it
 * cannot be asked for rejects with `LogUnavailable`, and the next call tries anew. While a SQLite file is lost
 * ({@link ../sqlite/watched-file.ts}) all calls reject, and `log` has an error.
 */
export function openActivity(place: Place, log?: Log): Activity {
  const thread = new Thread(place, log);
  const remote = <Of extends keyof Answerers>(of: Of): Answerers[Of] =>
    Object.fromEntries(
      Object.keys(methods[of]).map((method) => [method, (...given: unknown[]) => thread.call(of, method, given)]),
    ) as unknown as Answerers[Of];
  const activityLog = remote("log");
  const record = async (events: readonly RecordedEvent[]) =>
    (await activityLog.record(events)).map(({ index, reason }) => ({ event: events[index] as RecordedEvent, reason }));
  const { rebuild, ...history } = remote("history");
  return { log: { ...activityLog, record }, history, rebuild, [Symbol.asyncDispose]: () => thread.close() };
}

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** A thread that answers calls, started when it is needed. It keeps no process alive that waits for nothing of it. */
class Thread {
  readonly #place: Place;
  readonly #log: Log | undefined;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #calls = 0;
  #isClosed = false;

  constructor(place: Place, log: Log | undefined) {
    this.#place = place;
    this.#log = log;
  }

  async call(of: keyof Answerers, method: string, given: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) throw new LogUnavailable(new Error("it is closed"));
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#calls++;
    const request: Request = { id, of, method, given };
    return new Promise((resolve, reject) => {
      worker.postMessage(request);
      this.#pending.set(id, { resolve, reject });
      worker.ref();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    if (!worker) return;
    worker.postMessage(noMore);
    await waitAtMost(longestCloseMs, once(worker, "exit"));
    await worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./activity-worker.ts", import.meta.url), {
      name: "activity log",
      workerData: this.#place,
      execArgv: [],
    });
    worker.unref();
    worker.on("message", (told: Reply | FileState) => {
      if ("id" in told) this.#settle(worker, told);
      else this.#tell(told);
    });
    let cause = new Error("its thread ended");
    worker.on("error", (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#pending.values()) reject(new LogUnavailable(cause));
      this.#pending.clear();
    });
    return worker;
  }

  #tell({ fault }: FileState): void {
    if (fault === undefined) this.#log?.info("the file of the activity log is back");
    else this.#log?.error({ cause: fault }, "the file of the activity log is lost; changes wait for it");
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
    pending?.reject(reply.isRefusal ? fault : new LogUnavailable(fault));
  }
}
