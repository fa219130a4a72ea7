const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interruption.abort(new Error(`the benchmark was stopped by ${signal}`)));
}

/** Aborted when the benchmark is stopped. Each waiting part then ends, with all that it started. */
export const interrupted: AbortSignal = interruption.signal;
