import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

/** Writes structured lines: fields, then a fixed sentence. Never a token. */
export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error">;

/** A log of JSON lines on standard error, so that standard output is left to what the user asked for. */
export function createLog(level: string, to: DestinationStream = destination({ fd: 2, sync: true })): Log {
  return pino({ level, base: { pid: process.pid }, timestamp: stdTimeFunctions.isoTime }, to);
}
