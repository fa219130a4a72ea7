import { EventLogUnavailable, TidegateError } from "../../domain/errors.ts";
import { withDeadline } from "../evaluation/deadline.ts";

/** Less than a call may take at a reload; more than a search through a million events takes. */
const timeoutMs = 8_000;

/** What the activity log answers. Rejects with `LogUnavailable` when it fails, or does not within eight seconds. */
export async function queryLog<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(timeoutMs, ask);
  } catch (cause) {
    throw cause instanceof TidegateError ? cause : new EventLogUnavailable(cause);
  }
}
