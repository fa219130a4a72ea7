import { EventLogUnavailable, TidegateError } from "../../domain/errors.ts";
import { withDeadline } from "../async/deadline.ts";

/** Shorter than the time that requests have to finish at a reload; longer than a search through a million events. */
const timeoutMs = 8_000;

/** Queries the event log. Rejects with `EventLogUnavailable` if it fails, or does not respond within eight seconds. */
export async function queryLog<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(timeoutMs, query);
  } catch (cause) {
    throw cause instanceof TidegateError ? cause : new EventLogUnavailable(cause);
  }
}
