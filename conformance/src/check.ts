import type { Server } from "./server.ts";

/** `must`: a violation fails the run. `should`: a violation is a warning, unless the run is strict. */
export type Level = "must" | "should";

/** Check: one rule for OFREP servers, tested over HTTP. */
export type Check = {
  readonly id: string;
  readonly level: Level;
  /** The rule, as a sentence about the server. */
  readonly rule: string;
  /** Where the rule comes from: the protocol, an RFC, or the client that relies on it. */
  readonly source: string;
  /** Rejects with `Violation` if the server breaks the rule, and with `NotApplicable` if it cannot be tested. */
  readonly run: (server: Server) => Promise<void>;
};

/** The server breaks a rule. The message states what was expected and what the server returned. */
export class Violation extends Error {}

/** A rule does not apply to this server, or a required option is missing. The message says which. */
export class NotApplicable extends Error {}

/** Throws `Violation` unless the condition holds. */
export function expectThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Violation(message);
}
