import { EventEmitter, on } from "node:events";
import { isatty } from "node:tty";

/** What this process is told by signals. */
export type Signals = {
  /** Aborted, with the signal's name, by SIGTERM, by SIGINT, and by SIGHUP where a terminal is gone. */
  readonly stop: AbortSignal;
  /** Yields for other SIGHUPs, also for earlier ones: once for all that arrive during a reload. Ends with `stop`. */
  readonly reloads: AsyncIterable<unknown>;
};

/**
 * Listens to the signals of this process. A terminal that is closed sends SIGHUP too: then what was a terminal among
 * standard input, output and error is none any more.
 */
export function signals(): Signals {
  const stopping = new AbortController();
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  const requests = new EventEmitter();
  // All may come again: from a terminal to all processes at once, and from the process that forked this one.
  const stop = (signal: NodeJS.Signals) => stopping.abort(signal);
  process.on("SIGTERM", stop).on("SIGINT", stop);
  process.on("SIGHUP", (signal) => (terminals.every((fd) => isatty(fd)) ? requests.emit("reload") : stop(signal)));
  return { stop: stopping.signal, reloads: coalesced(stopping.signal, requests, "reload") };
}

/**
 * Yields for the events of an emitter from this call on, until `stop`. All events that arrive while the consumer is
 * busy count as one.
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

/** The events of an emitter from this call on, one after the other, until `stop`. */
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
