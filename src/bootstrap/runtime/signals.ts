import { EventEmitter, on } from "node:events";
import { isatty } from "node:tty";

/** The signals of this process, as streams. */
export type Signals = {
  /** Aborted, with the signal's name, on SIGTERM, SIGINT, and SIGHUP after the loss of the terminal. */
  readonly stop: AbortSignal;
  /** Yields on every other SIGHUP, including earlier ones. Signals during a reload count once. Ends with `stop`. */
  readonly reloads: AsyncIterable<unknown>;
};

/**
 * Subscribes to the signals of this process. A closed terminal sends SIGHUP too: in that case a standard stream that
 * was a terminal no longer is one.
 */
export function signals(): Signals {
  const stopping = new AbortController();
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  const requests = new EventEmitter();
  // Signals may repeat: a terminal signals all processes at once, and the parent process signals again.
  const stop = (signal: NodeJS.Signals) => stopping.abort(signal);
  process.on("SIGTERM", stop).on("SIGINT", stop);
  process.on("SIGHUP", (signal) => (terminals.every((fd) => isatty(fd)) ? requests.emit("reload") : stop(signal)));
  return { stop: stopping.signal, reloads: coalesced(stopping.signal, requests, "reload") };
}

/**
 * Yields on events of an emitter from this call on, until `stop`. Events that arrive while the consumer is busy count
 * as one.
 */
export function coalesced(stop: AbortSignal, emitter: NodeJS.EventEmitter, name: string): AsyncIterable<void> {
  let next = Promise.withResolvers<void>();
  emitter.on(name, () => next.resolve());
  stop.addEventListener("abort", () => next.resolve());
  return (async function* () {
    while (true) {
      await next.promise;
      if (stop.aborted) return;
      next = Promise.withResolvers();
      yield;
    }
  })();
}

/** Yields each event of an emitter from this call on, in order, until `stop`. */
export function eventsUntil(stop: AbortSignal, emitter: NodeJS.EventEmitter, name: string): AsyncIterable<unknown[]> {
  const events = on(emitter, name, { signal: stop });
  return (async function* () {
    try {
      yield* events;
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  })();
}
