import { SourceUnavailable, StoreFull } from "../../../domain/errors.ts";
import type { Log } from "../../../infrastructure/logger.ts";

/** Logs a change that the store could not apply. Faults of the caller are not logged. */
export function logRejectedChange(log: Log, error: Error, requestId: string | undefined): void {
  if (!(error instanceof SourceUnavailable || error instanceof StoreFull)) return;
  const { code, message, cause } = error;
  const reason = cause instanceof Error ? cause.message : message;
  log.error({ requestId, code, cause: reason }, "change rejected");
}
