import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

/** Writes structured lines: fields, then a fixed sentence. Never a token. */
export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error" | "level">;

/** So many bytes are kept of lines that cannot be written. */
const keptBytes = 1_024 * 1_024;

/** A log of JSON lines on standard error, so that standard output is left to what the user asked for. */
export function createLog(level: string, to: DestinationStream = standardError()): Log {
  return pino({ level, base: { pid: process.pid }, timestamp: stdTimeFunctions.isoTime }, to);
}

/** A terminal that is gone or a full disk costs lines of the log, and not the service. */
const standardError = (): DestinationStream =>
  destination({ fd: 2, sync: true, maxLength: keptBytes }).on("error", () => {});
