import { SourceUnavailable, StoreFull } from "../../../domain/errors.ts";
import type { Log } from "../../../infrastructure/logger.ts";

/** Logs that a store did not make a change; what a caller can put right is no fault of the service, and not logged. */
export function logRefusedChange(log: Log, error: Error, requestId: string | undefined): void {
  if (!(error instanceof SourceUnavailable || error instanceof StoreFull)) return;
  const { code, message, cause } = error;
  const reason = cause instanceof Error ? cause.message : message;
  log.error({ requestId, code, cause: reason }, "a change was refused");
}
