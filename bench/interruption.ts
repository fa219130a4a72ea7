const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interruption.abort(new Error(`the benchmark was stopped by ${signal}`)));
}

/** Aborted when the benchmark is told to stop; whoever waits has to end then, and to end what it started. */
export const interrupted: AbortSignal = interruption.signal;
