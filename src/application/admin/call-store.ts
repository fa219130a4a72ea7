import { SourceUnavailable, StoreFault, TidegateError } from "../../domain/errors.ts";

/**
 * Calls a store and returns its result. Rejects with `SourceUnavailable` under the given name if the store fails; the
 * message contains the fix for the operator.
 */
export async function callStore<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw cause instanceof TidegateError ? cause : withFix(new SourceUnavailable(name, cause));
  }
}

/** The error for an operator: if a store needs a fix, such as of a key of the wrong type, the message contains it. */
export function withFix(error: unknown): unknown {
  if (!(error instanceof SourceUnavailable && error.cause instanceof StoreFault)) return error;
  const { source, cause } = error;
  return new SourceUnavailable(source, cause, `Source "${source}" is unavailable: ${error.cause.message}.`);
}
