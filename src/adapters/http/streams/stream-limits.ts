import { HttpProblem } from "../kit/http-problem.ts";

/** Limits of open streams in a process. */
export type StreamLimitOptions = {
  readonly perCaller: number;
  readonly perAddress: number;
  readonly perProcess: number;
};

/** The client of a stream: a digest of what identifies its caller, if anything does, and its address. */
export type StreamClient = { readonly caller: string | undefined; readonly address: string | undefined };

/** Seconds after which a refused client may try again. */
const retryAfter = { "Retry-After": "60" };

/** Counts the open streams of each caller, of each address, and of the process. */
export class StreamLimits {
  readonly #options: StreamLimitOptions;
  readonly #callers = new Map<string, number>();
  readonly #addresses = new Map<string, number>();
  #open = 0;
  /** Number of refused streams, by the limit. */
  readonly refused = { caller: 0, address: 0, process: 0 };

  constructor(options: StreamLimitOptions) {
    this.#options = options;
  }

  /** Counts a stream until the returned function is called. Throws `HttpProblem` beyond a limit. */
  admit({ caller, address }: StreamClient): () => void {
    const { perCaller, perAddress, perProcess } = this.#options;
    if (caller !== undefined && (this.#callers.get(caller) ?? 0) >= perCaller) {
      this.refused.caller += 1;
      throw tooMany(`The caller has ${perCaller} open streams in this process (server.streams.perCaller).`);
    }
    if (address !== undefined && (this.#addresses.get(address) ?? 0) >= perAddress) {
      this.refused.address += 1;
      throw tooMany(`The address has ${perAddress} open streams in this process (server.streams.perAddress).`);
    }
    if (this.#open >= perProcess) {
      this.refused.process += 1;
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
}

const tooMany = (fault: string): HttpProblem =>
  new HttpProblem("too-many-streams", `${fault} Close one, or retry after 60 s.`, retryAfter);

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
