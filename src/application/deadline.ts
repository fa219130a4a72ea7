/**
 * Answers what `ask` answers, at once where that is no promise; rejects when it takes longer than `timeoutMs`. Throws as `ask` does.
 */
export function within<T>(timeoutMs: number, ask: () => T | PromiseLike<T>): T | Promise<T> {
  const answer = ask();
  if (!isPromiseLike(answer)) return answer;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
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

const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === "function";
