/** Number of parts of a time limit. A block of the event loop uses up at most one of them. */
const parts = 8;

/**
 * Runs `late` after `timeoutMs` during which the event loop could read responses, unless the returned function is
 * called before. The longer the event loop is blocked, the later that is: a response may be there, unread.
 */
export function afterTimeout(timeoutMs: number, late: () => void): () => void {
  let left = parts;
  const timer = setTimeout(() => {
    left -= 1;
    // The event loop runs timers before it reads sockets.
    if (left === 0) setImmediate(late);
    else timer.refresh();
  }, timeoutMs / parts);
  return () => clearTimeout(timer);
}

/**
 * Returns the result of `ask`, synchronously if it is not a promise. Rejects with `fault` after `timeoutMs`. Throws as
 * `ask` does. A result is in time if it arrived while the event loop was blocked, even if the block delayed the
 * request.
 */
export function withDeadline<T>(
  timeoutMs: number,
  ask: () => T | PromiseLike<T>,
  fault: string = `no answer within ${timeoutMs} ms`,
): T | Promise<T> {
  const answer = ask();
  if (!isPromiseLike(answer)) return answer;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = afterTimeout(timeoutMs, () => reject(new Error(fault)));
  answer.then(
    (value) => {
      cancel();
      resolve(value);
    },
    (cause) => {
      cancel();
      reject(cause);
    },
  );
  return promise;
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

const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === "function";
