/** Number of parts of a time limit. A block of the event loop uses up at most one of them. */
const parts = 8;

/** The deadline of a call that waits for a result. */
class Deadline {
  readonly late: () => void;
  /** The tick at which it is late. */
  readonly due: number;
  // A linked list: a Set would leave gaps and be copied often.
  waits: Waits | undefined;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  #isOver = false;

  constructor(late: () => void, due: number, waits: Waits, previous: Deadline | undefined) {
    this.late = late;
    this.due = due;
    this.waits = waits;
    this.previous = previous;
    this.next = undefined;
  }

  /** Ends the wait. Returns whether it was in time; afterwards `late` is not called. */
  end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.waits?.remove(this);
    return true;
  }
}

/** The calls with one time limit. They share one timer, because each request to a store has several limits. */
class Waits {
  readonly #partMs: number;
  /** In the order in which they become late. */
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;

  constructor(timeoutMs: number) {
    this.#partMs = timeoutMs / parts;
  }

  add(late: () => void): Deadline {
    // The first part of the calls that join others is shorter.
    const added = new Deadline(late, this.#ticks + parts + (this.#timer ? 1 : 0), this, this.#last);
    if (this.#last) this.#last.next = added;
    else this.#first = added;
    this.#last = added;
    this.#timer ??= setTimeout(() => this.#tick(), this.#partMs);
    return added;
  }

  remove(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    deadline.waits = undefined;
    deadline.previous = undefined;
    deadline.next = undefined;
    if (this.#first) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    this.#ticks += 1;
    this.#timer?.refresh();
    while (this.#first && this.#first.due <= this.#ticks) {
      const due = this.#first;
      this.remove(due);
      // The event loop runs timers before it reads sockets.
      setImmediate(() => {
        if (due.end()) due.late();
      });
    }
  }
}

/** By time limit. There are few: those of the configuration and of the code. */
const waits = new Map<number, Waits>();

/**
 * Runs `late` after `timeoutMs` during which the event loop could read responses, or up to an eighth later, unless the
 * returned deadline is ended before. The longer the event loop is blocked, the later that is: a response may be there,
 * unread.
 */
export function afterTimeout(timeoutMs: number, late: () => void): Pick<Deadline, "end"> {
  let same = waits.get(timeoutMs);
  if (!same) {
    same = new Waits(timeoutMs);
    waits.set(timeoutMs, same);
  }
  return same.add(late);
}

/**
 * Calls `settled` with the result of a promise, or `failed` with its rejection, or after `timeoutMs` with an error of
 * the message `fault`. A result is in time if it arrived while the event loop was blocked, even if the block delayed
 * the request.
 */
export function settleWithin<T>(
  timeoutMs: number,
  promise: PromiseLike<T>,
  settled: (value: T) => void,
  failed: (cause: unknown) => void,
  fault?: string,
): void {
  const deadline = afterTimeout(timeoutMs, () => failed(new Error(fault ?? `no response within ${timeoutMs} ms`)));
  promise.then(
    (value) => {
      if (deadline.end()) settled(value);
    },
    (cause) => {
      if (deadline.end()) failed(cause);
    },
  );
}

/**
 * Returns the result of `call`, synchronously if it is not a promise. Rejects as {@link settleWithin} fails. Throws as
 * `call` does.
 */
export function withDeadline<T>(timeoutMs: number, call: () => T | PromiseLike<T>, fault?: string): T | Promise<T> {
  const result = call();
  if (!isPromiseLike(result)) return result;
  return new Promise((resolve, reject) => settleWithin(timeoutMs, result, resolve, reject, fault));
}

/** The result of a call; `undefined` if it fails or takes longer than `timeoutMs`. */
export async function resultWithin<T>(timeoutMs: number, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(timeoutMs, call);
  } catch {
    return undefined;
  }
}

/**
 * Waits until a promise settles, at most `timeoutMs`. Rejects if the promise rejects in time. Leaves no timer behind.
 */
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
