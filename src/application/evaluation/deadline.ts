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
  const timer = setTimeout(() => {
    // The event loop runs timers before it reads sockets: one turn sends pending requests, the next reads their
    // responses.
    setImmediate(() => setImmediate(() => reject(new Error(fault))));
  }, timeoutMs);
  answer.then(
    (value) => {
      clearTimeout(timer);
      resolve(value);
    },
    (cause) => {
      clearTimeout(timer);
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
