/** Runs `ask` and answers what it answers; rejects when that takes longer than `timeoutMs`. */
export async function within<T>(timeoutMs: number, ask: () => T | PromiseLike<T>): Promise<T> {
  const answer = ask();
  if (!isPromiseLike(answer)) return answer;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === "function";
