import { SourceUnavailable, StoreFault, TidegateError } from "../../domain/errors.ts";

/**
 * What a store answers. Rejects with `SourceUnavailable` where it does not, under the name given; the message names what an
 * operator has to fix.
 */
export async function callStore<T>(name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    const reason = cause instanceof StoreFault ? `"${name}" cannot answer: ${cause.message}.` : undefined;
    throw new SourceUnavailable(name, cause, reason);
  }
}
