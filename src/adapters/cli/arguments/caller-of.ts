import type { Caller } from "../../../application/evaluation/identify-caller.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { tokenFromStandardInput } from "./token-from-standard-input.ts";

/**
 * The caller that a command evaluates for: a user, the owner of the token on standard input, or an anonymous caller.
 * Throws `UsageError` for an empty user, and for both.
 */
export async function callerOf({ user, token }: { user?: string; token?: true }, terminal: Terminal): Promise<Caller> {
  if (token && user !== undefined) throw new UsageError("--user and --token exclude each other (use one)");
  if (token) return { token: await tokenFromStandardInput(terminal) };
  if (user === "") throw new UsageError("empty user id (name a user, or omit --user)");
  return user === undefined ? undefined : { userId: user };
}
