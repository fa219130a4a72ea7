import { userInfo } from "node:os";
import { type ChangeOptions, cliActorPrefix } from "../../domain/admin/change.ts";
import type { Terminal } from "./terminal.ts";

/** The author of a change from the command line: the operating system's user name, or the user id if there is none. */
export const cliAuthor = ({ uid }: Terminal): ChangeOptions => ({ by: cliActorPrefix + nameOfUser(uid) });

function nameOfUser(uid: number | undefined): string {
  try {
    return userInfo().username;
  } catch {
    // The user of a container can have a number without a name.
    return String(uid ?? "unknown");
  }
}
