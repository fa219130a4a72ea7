import { SourceUnavailable, StoreFault, TidegateError } from "../../domain/errors.ts";

/**
 * Calls a store and returns its result. Rejects with `SourceUnavailable` under the given name if the store fails; the
 * message contains the fix for the operator.
 */
export async function callStore<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    const reason = cause instanceof StoreFault ? `Source "${name}" is unavailable: ${cause.message}.` : undefined;
    throw new SourceUnavailable(name, cause, reason);
  }
}
