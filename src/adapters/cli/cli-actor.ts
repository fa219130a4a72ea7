import { userInfo } from "node:os";
import type { ChangeAuthor } from "../../application/admin/author.ts";
import type { Terminal } from "./terminal.ts";

/** Who types at the command line, as far as the system knows. */
export const cliAuthor = ({ uid }: Terminal): ChangeAuthor => ({ by: `cli:${nameOfUser(uid)}` });

function nameOfUser(uid: number | undefined): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have a number and no name.
    return String(uid ?? "unknown");
  }
}
