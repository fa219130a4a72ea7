import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { ConfirmingFeed, InstanceProcess, Receipt, RollCall } from "../../domain/evaluation/invalidation-feed.ts";
import { type ClockReading, Epochs, readClocks } from "../invalidation/epochs.ts";
import type { Log } from "../logger.ts";
import { type Confirmations, confirmations, invalidationChannel, type Publish } from "./confirmations.ts";
import { RedisClient } from "./redis-client.ts";
import { isErrorReply } from "./redis-fault.ts";

/** Time between two PINGs. Each renews the lease. */
const heartbeatMs = 200;
/** Time without a reply after which the connection counts as lost. */
const silenceMs = 1_500;
/** Limit for connecting and enabling tracking. */
const handshakeMs = 2_000;
const maxBackoffMs = 1_000;
/** Time after a rejection of tracking until it is requested again. */
const trackAgainMs = 30_000;
/** Codes of replies that state why the server rejects any command at present, for example LOADING, BUSY or NOAUTH. */
const temporary = /^(?!ERR |NOPERM )[A-Z]+ /;

/** The connection that a feed belongs to. It sends commands that a subscribed connection cannot send. */
type Companion = {
  /** Whether the server is the primary. A replica receives changes late or never. */
  readonly isPrimary: () => boolean;
  readonly publish: Publish;
  /** The process of the feed; without one, it does not name itself. */
  readonly process: InstanceProcess | undefined;
};

/**
 * Invalidation feed of a Redis server, by client-side caching (`CLIENT TRACKING` in broadcast mode).
 *
 * One dedicated connection is both the tracked client and its redirection target, so only the loss of one connection
 * can mean missed invalidations. It uses RESP2, because ioredis drops the invalidations of RESP3. TCP preserves order,
 * so the reply to a PING proves that all invalidations have arrived that were due when the previous PING was sent. That
 * instant is the lease: while it is within the freshness bound, cached values are fresh.
 *
 * If tracking is rejected (an old server, a proxy, missing rights), an epoch ends every half of the freshness bound
 * instead, so that everything is read again that often.
 */
export class RedisInvalidationFeed implements ConfirmingFeed, AsyncDisposable {
  readonly #url: string;
  readonly #prefixes: readonly string[];
  readonly #log: Log;
  readonly #isPrimary: () => boolean;
  readonly #confirmations: Confirmations;
  readonly #connection: string;
  readonly #listeners: ((key: string | undefined) => void)[] = [];
  readonly #epochs = new Epochs();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #generation = 0;
  #rejection: string | undefined;
  #trackedSince = Number.POSITIVE_INFINITY;

  /**
   * Watches the keys with one of the prefixes, in all databases of the server. Live only while the server is the
   * primary: a replica receives changes late or never.
   */
  constructor(
    connection: string,
    url: string,
    prefixes: readonly string[],
    log: Log,
    { isPrimary = () => true, publish = async () => 0, process }: Partial<Companion> = {},
  ) {
    this.#isPrimary = isPrimary;
    this.#confirmations = confirmations(publish, process);
    this.#connection = connection;
    this.#url = url;
    this.#prefixes = withoutOverlaps(prefixes);
    this.#log = log;
    this.#running = this.#run();
  }

  get epoch(): number {
    return this.#epochs.current;
  }

  get generation(): number {
    return this.#generation;
  }

  isLive(now: Instant): boolean {
    return this.#epochs.isLive(now) && this.#isPrimary();
  }

  syncedUntil(epoch: number): number {
    return this.#epochs.syncedUntil(epoch);
  }

  notify(key: string | undefined): void {
    this.#generation += 1;
    for (const listener of this.#listeners) listener(key);
  }

  subscribe(listener: (key: string | undefined) => void): void {
    this.#listeners.push(listener);
  }

  async confirm(): Promise<Receipt> {
    return this.#confirmations.confirm(this.#areFeedsCounted());
  }

  async rollCall(): Promise<RollCall> {
    return this.#confirmations.confirm(this.#areFeedsCounted(), true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  /** An uncounted feed may have a lease from before a restart of the server. That lease ends within the bound. */
  #areFeedsCounted(): boolean {
    return performance.now() - this.#trackedSince >= freshnessBoundMs;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let backoff = 25;
    while (!signal.aborted) {
      if (!this.#isPrimary()) {
        await pause(heartbeatMs, signal);
        continue;
      }
      const startedAt = performance.now();
      await this.#session(signal);
      this.#end();
      if (signal.aborted) return;
      backoff = performance.now() - startedAt > 10_000 ? 25 : Math.min(maxBackoffMs, 2 * backoff);
      await pause(backoff * (0.5 + Math.random() / 2), signal);
    }
  }

  /** Runs until the connection is lost or silent. Polls for a while if Redis rejects tracking. */
  async #session(signal: AbortSignal): Promise<void> {
    const redis = new RedisClient(this.#url, {
      lazyConnect: true,
      protocol: 2,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      connectTimeout: 500,
      socketTimeout: silenceMs,
    });
    const over = new AbortController();
    const end = () => over.abort();
    signal.addEventListener("abort", end);
    redis.on("error", () => {}).once("close", end);
    const handshake = setTimeout(end, handshakeMs);
    try {
      await unlessLost(over.signal, redis.connect());
      if (redis.handshakeFault !== undefined) return;
      await unlessLost(over.signal, this.#track(redis));
      const first = readClocks();
      await unlessLost(over.signal, redis.ping());
      let sent = readClocks();
      await unlessLost(over.signal, redis.ping());
      clearTimeout(handshake);
      this.#begin(first);
      this.#trackedSince = performance.now();
      while (this.#isPrimary()) {
        await pause(heartbeatMs, over.signal);
        const before = sent;
        sent = readClocks();
        const silence = setTimeout(end, silenceMs);
        await unlessLost(over.signal, redis.ping()).finally(() => clearTimeout(silence));
        this.#epochs.renew(before);
      }
    } catch (error) {
      if (!isRejection(error)) return;
      clearTimeout(handshake);
      this.#end();
      // Without tracking, this feed still counts as a receiver of confirmations.
      const subscribed = unlessLost(over.signal, redis.subscribe(invalidationChannel)).then(() => over.signal);
      const polled = await subscribed.catch((failure) => (isRejection(failure) ? signal : undefined));
      // A server without room for another connection replies with an error and closes it.
      if (!polled) return;
      const cause = error.message;
      this.#log.warn(
        { connection: this.#connection, cause },
        "CLIENT TRACKING rejected; invalidating everything every 500 ms",
      );
      await this.#poll(polled);
    } finally {
      clearTimeout(handshake);
      signal.removeEventListener("abort", end);
      redis.disconnect();
      this.#logRejection(redis.handshakeFault);
    }
  }

  /** Logs a rejected handshake, unless it equals the previous one. */
  #logRejection(cause: string | undefined): void {
    if (cause !== undefined && cause !== this.#rejection) {
      this.#log.error({ connection: this.#connection, cause }, "Redis rejected the invalidation feed; reconnecting");
    }
    this.#rejection = cause;
  }

  async #track(redis: Redis): Promise<void> {
    const { channel: confirmed } = this.#confirmations;
    redis.on("messageBuffer", (channel: Buffer, message: unknown) => {
      if (String(channel) === confirmed) return this.#confirmations.receive(String(message));
      if (Array.isArray(message)) {
        for (const key of message) this.notify(String(key));
        return;
      }
      const reply = this.#confirmations.replyTo(String(message));
      // Without tracking, no invalidation precedes the question.
      if (!reply || this.#trackedSince === Number.POSITIVE_INFINITY) this.notify(undefined);
      reply?.();
    });
    const id = await redis.client("ID");
    const prefixes = this.#prefixes.flatMap((prefix) => ["PREFIX", prefix]);
    await redis.call("CLIENT", "TRACKING", "ON", "BCAST", "REDIRECT", `${id}`, ...prefixes);
    await redis.subscribe(invalidationChannel);
    // Without the right, no confirmation arrives, and `confirm` takes the freshness bound.
    await redis.subscribe(confirmed).catch(() => {});
  }

  /** Ends an epoch every half of the freshness bound, for a while. */
  async #poll(signal: AbortSignal): Promise<void> {
    const until = performance.now() + trackAgainMs;
    while (performance.now() < until && !signal.aborted && this.#isPrimary()) {
      this.#begin(readClocks());
      await pause(freshnessBoundMs / 2, signal);
      this.#end();
    }
  }

  #begin(lease: ClockReading): void {
    this.#epochs.begin(lease);
    // The changes since the previous epoch are unknown.
    this.notify(undefined);
  }

  #end(): void {
    this.#trackedSince = Number.POSITIVE_INFINITY;
    this.#epochs.end();
  }
}

const isRejection = (error: unknown): error is Error =>
  error instanceof Error && isErrorReply(error) && !temporary.test(error.message);

/** Redis rejects overlapping prefixes. The shorter prefix covers all keys of the longer one. */
const withoutOverlaps = (prefixes: readonly string[]): readonly string[] =>
  [...new Set(prefixes)].filter((prefix) => !prefixes.some((other) => other !== prefix && prefix.startsWith(other)));

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** Returns the result of a promise. Rejects as soon as the connection is lost. */
function unlessLost<T>(over: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error("the connection is lost"));
    promise.then(resolve, reject).finally(() => over.removeEventListener("abort", fail));
    if (over.aborted) fail();
    else over.addEventListener("abort", fail, { once: true });
  });
}
