import { createInterface } from "node:readline/promises";
import { ChangeRefused } from "../../domain/errors.ts";

/** The first line of standard input: where tokens come from, because arguments show in process lists. */
export async function tokenFromStandardInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("Token: ");
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line.trim();
  }
  throw new ChangeRefused("there is no token on standard input; write it there, as in: echo 1234 | tidegate …");
}
