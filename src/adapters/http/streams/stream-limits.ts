import { LRUCache } from "lru-cache";
import type { InvalidationFeed } from "../../../domain/evaluation/invalidation-feed.ts";
import { HttpProblem } from "../problems/http-problem.ts";

/** Limits of open streams in a process. */
export type StreamLimitOptions = {
  readonly perCaller: number;
  readonly perAddress: number;
  readonly perProcess: number;
};

/** The client of a stream: a digest of the identity of its caller, if there is one, and its address. */
export type StreamClient = { readonly caller: string | undefined; readonly address: string | undefined };

/** How long after a refusal streams are not advertised, in milliseconds. */
export const shedMs = 60_000;
/** Refused clients of which that is known. */
const maxShed = 10_000;
const retryAfter = { "Retry-After": `${shedMs / 1_000}` };

/**
 * Counts the open streams of each caller, of each address, and of the process. A rejected caller is shed for a minute:
 * its responses advertise no streams, because clients would retry at once.
 */
export class StreamLimits {
  readonly #options: StreamLimitOptions;
  readonly #callers = new Map<string, number>();
  readonly #addresses = new Map<string, number>();
  readonly #shed = new LRUCache<string, true>({ max: maxShed, ttl: shedMs });
  #open = 0;
  /** Number of refused streams, by the limit. */
  readonly refused = { caller: 0, address: 0, process: 0 };
  /** Invalidated when the shedding of a caller starts or ends. */
  readonly invalidations = new LocalFeed();

  constructor(options: StreamLimitOptions) {
    this.#options = options;
  }

  /** Counts a stream until the returned function is called. Throws `HttpProblem` beyond a limit. */
  admit({ caller, address }: StreamClient): () => void {
    const { perCaller, perAddress, perProcess } = this.#options;
    if (caller !== undefined && (this.#callers.get(caller) ?? 0) >= perCaller) {
      this.refused.caller += 1;
      this.#shedding(caller);
      throw tooMany(`The caller has ${perCaller} open streams in this process (server.streams.perCaller).`);
    }
    if (address !== undefined && (this.#addresses.get(address) ?? 0) >= perAddress) {
      this.refused.address += 1;
      this.#shedding(`address ${address}`);
      throw tooMany(`The address has ${perAddress} open streams in this process (server.streams.perAddress).`);
    }
    if (this.#open >= perProcess) {
      this.refused.process += 1;
      this.#shedding("process");
      const detail = `The process has ${perProcess} open streams (server.streams.perProcess). Retry after 60 s.`;
      throw new HttpProblem("overloaded", detail, retryAfter);
    }
    this.#open += 1;
    if (caller !== undefined) add(this.#callers, caller, 1);
    if (address !== undefined) add(this.#addresses, address, 1);
    return () => {
      this.#open -= 1;
      if (caller !== undefined) add(this.#callers, caller, -1);
      if (address !== undefined) add(this.#addresses, address, -1);
    };
  }

  /** Whether the streams of a caller, or of all, are shed. */
  isShed(caller: string | undefined): boolean {
    return this.#shed.size > 0 && (this.#shed.has("process") || (caller !== undefined && this.#shed.has(caller)));
  }

  /** Whether the streams of an address are shed. Responses are cached separately for such an address. */
  isAddressShed(address: string | undefined): boolean {
    return this.#shed.size > 0 && this.#shed.has(`address ${address}`);
  }

  /** Whether any streams are shed, or were a while ago. */
  get isShedding(): boolean {
    return this.#shed.size > 0;
  }

  #shedding(key: string): void {
    const isNew = !this.#shed.has(key);
    this.#shed.set(key, true);
    if (isNew) this.invalidations.notify();
  }
}

/** Feed of changes in this process. */
class LocalFeed implements InvalidationFeed {
  readonly epoch = 0;
  generation = 0;
  isLive = () => true;
  syncedUntil = () => performance.now();
  subscribe = () => {};

  notify(): void {
    this.generation += 1;
  }
}

const tooMany = (fault: string): HttpProblem =>
  new HttpProblem("too-many-streams", `${fault} Close one, or retry after 60 s.`, retryAfter);

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
