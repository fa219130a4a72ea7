/** Number of parts of a time limit. A block of the event loop uses up at most one of them. */
const parts = 8;

/** A call that waits for a result. `due` is the tick at which it is late. */
type Waiting = { readonly due: number; readonly late: () => void };

/** The calls with one time limit. They share one timer, because each request to a store has several limits. */
class Waits {
  readonly #partMs: number;
  /** In the order in which they become late. */
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;

  constructor(timeoutMs: number) {
    this.#partMs = timeoutMs / parts;
  }

  /** Adds a call. Returns a function that removes it. */
  add(late: () => void): () => void {
    // The first part of the calls that join others is shorter.
    const waiting = { due: this.#ticks + parts + (this.#timer ? 1 : 0), late };
    this.#waiting.add(waiting);
    this.#timer ??= setTimeout(() => this.#tick(), this.#partMs);
    return () => this.#end(waiting);
  }

  #end(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    this.#ticks += 1;
    this.#timer?.refresh();
    for (const waiting of this.#waiting) {
      if (waiting.due > this.#ticks) return;
      this.#end(waiting);
      // The event loop runs timers before it reads sockets.
      setImmediate(waiting.late);
    }
  }
}

/** By time limit. There are few: those of the configuration and of the code. */
const waits = new Map<number, Waits>();

/**
 * Runs `late` after `timeoutMs` during which the event loop could read responses, or up to an eighth later, unless the
 * returned function is called before. The longer the event loop is blocked, the later that is: a response may be there,
 * unread.
 */
export function afterTimeout(timeoutMs: number, late: () => void): () => void {
  let same = waits.get(timeoutMs);
  if (!same) {
    same = new Waits(timeoutMs);
    waits.set(timeoutMs, same);
  }
  return same.add(late);
}

/**
 * Calls `settled` with the result of a promise, or `failed` with its rejection, or after `timeoutMs` with an error of
 * the message `fault`. A result is in time if it arrived while the event loop was blocked, even if the block delayed the
 * request.
 */
export function settleWithin<T>(
  timeoutMs: number,
  promise: PromiseLike<T>,
  settled: (value: T) => void,
  failed: (cause: unknown) => void,
  fault?: string,
): void {
  let isLate = false;
  const cancel = afterTimeout(timeoutMs, () => {
    isLate = true;
    failed(new Error(fault ?? `no response within ${timeoutMs} ms`));
  });
  promise.then(
    (value) => {
      if (isLate) return;
      cancel();
      settled(value);
    },
    (cause) => {
      if (isLate) return;
      cancel();
      failed(cause);
    },
  );
}

/**
 * Returns the result of `call`, synchronously if it is not a promise. Rejects as {@link settleWithin} fails. Throws as
 * `call` does.
 */
export function withDeadline<T>(timeoutMs: number, call: () => T | PromiseLike<T>, fault?: string): T | Promise<T> {
  const answer = call();
  if (!isPromiseLike(answer)) return answer;
  return new Promise((resolve, reject) => settleWithin(timeoutMs, answer, resolve, reject, fault));
}

/** The result of a call; `undefined` if it fails or takes longer than `timeoutMs`. */
export async function resultWithin<T>(timeoutMs: number, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(timeoutMs, call);
  } catch {
    return undefined;
  }
}

/** Waits until a promise settles, at most `timeoutMs`. Rejects if the promise rejects in time. Leaves no timer behind. */
export async function waitAtMost(timeoutMs: number, promise: PromiseLike<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === "function";
