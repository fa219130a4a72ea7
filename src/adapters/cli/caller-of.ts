import type { Caller } from "../../application/evaluation/identify-caller.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import { tokenFromStandardInput } from "./standard-input.ts";
import type { Terminal } from "./terminal.ts";

/**
 * The caller that a command evaluates for: a user, the owner of the token on standard input, or an anonymous caller.
 */
export async function callerOf({ user, token }: { user?: string; token?: true }, terminal: Terminal): Promise<Caller> {
  if (token && user !== undefined) throw new ChangeRejected("--user and --token name two callers; leave one out");
  if (token) return { token: await tokenFromStandardInput(terminal) };
  if (user === "") throw new ChangeRejected("the user is empty; name one, or leave --user out");
  return user === undefined ? undefined : { userId: user };
}
