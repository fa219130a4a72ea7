/** Runs `ask` and answers what it answers; rejects when that takes longer than `timeoutMs`. */
export async function within<T>(timeoutMs: number, ask: () => T | Promise<T>): Promise<T> {
  const answer = ask();
  if (!(answer instanceof Promise)) return answer;
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
