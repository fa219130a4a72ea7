import { createInterface } from "node:readline/promises";
import { ChangeRejected } from "../../../domain/errors.ts";
import type { Terminal } from "../terminal.ts";

/** Reads a token from the first line of standard input. Tokens are not arguments, because process lists show those. */
export async function tokenFromStandardInput({ stdin, stderr }: Terminal): Promise<string> {
  if (stdin.isTTY) stderr.write("Token: ");
  const lines = createInterface({ input: stdin });
  for await (const line of lines) {
    lines.close();
    return line.trim();
  }
  throw new ChangeRejected("no token on standard input (write it there, for example: echo 1234 | tidegate ...)");
}
