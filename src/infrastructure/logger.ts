import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

/** Structured log: fields, then a fixed message. Never contains a token. */
export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error" | "level">;

/** Buffer limit for lines that cannot be written, in bytes. */
const keptBytes = 1_024 * 1_024;

/** Creates a log of JSON lines on standard error. Standard output is reserved for results. */
export function createLog(level: string, to: DestinationStream = standardError()): Log {
  return pino({ level, base: { pid: process.pid }, timestamp: stdTimeFunctions.isoTime }, to);
}

/** A lost terminal or a full disk drops log lines. The service continues. */
const standardError = (): DestinationStream =>
  destination({ fd: 2, sync: true, maxLength: keptBytes }).on("error", () => {});
