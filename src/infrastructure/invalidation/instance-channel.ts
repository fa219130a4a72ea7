import cluster, { type Worker } from "node:cluster";
import { waitAtMost } from "../../application/async/deadline.ts";
import { confirmationWaitMs } from "../../domain/evaluation/cached-read.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { FilledStores } from "../stores/filled-stores.ts";

type Feeds = ReadonlyMap<string, InvalidationFeed>;
type Request = { readonly id: string; readonly key: string };

type FromWorker = {
  readonly joins?: true;
  readonly filled?: string;
  readonly invalidate?: Request;
  readonly invalidated?: string;
};
type ToWorker = {
  readonly joined?: true;
  readonly filled?: readonly string[];
  readonly invalidate?: Request;
  readonly invalidatedByAll?: string;
};

/**
 * Channel between the workers of one instance. Without other workers it serves the configurations of this process only.
 */
export class InstanceChannel {
  /** The stores that any worker found filled. */
  readonly filled = new FilledStores((id) => sendToPrimary({ filled: id }));
  readonly #feeds = new Set<Feeds>();
  readonly #waiting = new Map<string, () => void>();
  #lastId = 0;

  /** Joins the other workers. Resolves when their filled stores are known here. */
  static async open(): Promise<InstanceChannel> {
    const channel = new InstanceChannel();
    if (cluster.isWorker) await channel.#join();
    return channel;
  }

  /** Includes the feeds of a configuration in `invalidate` until disposal. */
  use(feeds: Feeds): Disposable {
    this.#feeds.add(feeds);
    return { [Symbol.dispose]: () => void this.#feeds.delete(feeds) };
  }

  /**
   * Invalidates a key here, then in all other workers: several connections may lead to one store. Resolves when all
   * have confirmed or exited, or after the freshness bound, when the lease of the others has ended. Never rejects.
   */
  async invalidate(key: string): Promise<void> {
    this.#notifyFeeds(key);
    if (!cluster.isWorker) return;
    this.#lastId += 1;
    const id = `${process.pid}-${this.#lastId}`;
    const all = new Promise<void>((resolve) => this.#waiting.set(id, resolve));
    sendToPrimary({ invalidate: { id, key } });
    await waitAtMost(confirmationWaitMs, all);
    this.#waiting.delete(id);
  }

  #join(): Promise<void> {
    return new Promise((resolve) => {
      process.on("message", ({ joined, filled = [], invalidate, invalidatedByAll }: ToWorker) => {
        for (const id of filled) this.filled.add(id);
        if (joined) resolve();
        if (invalidate) {
          this.#notifyFeeds(invalidate.key);
          sendToPrimary({ invalidated: invalidate.id });
        }
        if (invalidatedByAll !== undefined) this.#waiting.get(invalidatedByAll)?.();
      });
      sendToPrimary({ joins: true });
    });
  }

  #notifyFeeds(key: string): void {
    for (const feeds of this.#feeds) for (const feed of feeds.values()) feed.notify(key);
  }
}

/** Makes the primary process connect the channels of its workers. It passes filled stores to workers forked later. */
export function connectWorkers(): void {
  const joined = new Set<Worker>();
  const filled = new Set<string>();
  const confirmations = new Map<string, (worker: Worker) => void>();
  const othersThan = (worker: Worker) => [...joined].filter((other) => other !== worker);

  const invalidate = async (from: Worker, request: Request) => {
    const missing = new Set(othersThan(from));
    const all = new Promise<void>((resolve) => {
      const confirm = (worker: Worker) => {
        missing.delete(worker);
        if (missing.size === 0) resolve();
      };
      confirmations.set(request.id, confirm);
      confirm(from);
    });
    for (const worker of missing) send(worker, { invalidate: request });
    await waitAtMost(confirmationWaitMs, all);
    confirmations.delete(request.id);
    send(from, { invalidatedByAll: request.id });
  };

  cluster.on("message", (worker, message: FromWorker) => {
    if (message.joins && !worker.isDead()) {
      joined.add(worker);
      send(worker, { joined: true, filled: [...filled] });
    }
    if (message.filled !== undefined && !filled.has(message.filled)) {
      filled.add(message.filled);
      for (const other of othersThan(worker)) send(other, { filled: [message.filled] });
    }
    if (message.invalidate) void invalidate(worker, message.invalidate);
    if (message.invalidated !== undefined) confirmations.get(message.invalidated)?.(worker);
  });
  cluster.on("exit", (worker) => {
    joined.delete(worker);
    for (const confirm of confirmations.values()) confirm(worker);
  });
}

/** The recipient may have exited. Without a callback that would throw. */
const send = (worker: Worker, message: ToWorker) => worker.send(message, () => {});
const sendToPrimary = (message: FromWorker) => cluster.worker?.send(message, () => {});
