import type { Command } from "commander";
import { tokenFromStandardInput } from "../arguments/token-from-standard-input.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

/** `tidegate tokens`: adds and removes client tokens. */
export function define(command: Command, { onStores, results, terminal }: CommandContext): void {
  withJson(command.command("add"), { user: "8", previousUser: "7" })
    .description("add the token on standard input for a user")
    .requiredOption("--user <ID>", "user id")
    .action(({ user }: { user: string }) =>
      onStores(async ({ manageTokens }) => {
        const { before } = await manageTokens.assign(await tokenFromStandardInput(terminal), user, cliAuthor(terminal));
        const isMoved = before !== undefined && before !== user;
        results.print(
          { user, previousUser: before ?? null },
          isMoved ? `token moved from user ${before} to user ${user}` : `token added for user ${user}`,
        );
      }),
    );
  withJson(command.command("remove"), { previousUser: "8" })
    .description("remove the token on standard input")
    .action(() =>
      onStores(async ({ manageTokens }) => {
        const before = await manageTokens.revoke(await tokenFromStandardInput(terminal), cliAuthor(terminal));
        results.print(
          { previousUser: before ?? null },
          before === undefined ? "unknown token" : `token removed from user ${before}`,
        );
      }),
    );
}
