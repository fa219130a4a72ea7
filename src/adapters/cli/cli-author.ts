import { userInfo } from "node:os";
import type { Author } from "../../application/author.ts";

/** Who types at the command line, as far as the system knows. */
export const cliAuthor = (): Author => ({ by: `cli:${nameOfUser()}` });

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have a number and no name.
    return String(process.getuid?.() ?? "unknown");
  }
}
