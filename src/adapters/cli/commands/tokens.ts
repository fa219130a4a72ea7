import { Command } from "commander";
import { cliAuthor } from "../cli-actor.ts";
import { tokenFromStandardInput } from "../standard-input.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

/** `tidegate tokens`: adds and removes client tokens. */
export function tokensCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("tokens").description("add and remove client tokens (read from standard input)");
  command
    .command("add")
    .description("add the token on standard input for a user")
    .requiredOption("--user <id>", "user id")
    .action(({ user }: { user: string }) =>
      onStores(async ({ manageTokens }) => {
        const { before } = await manageTokens.assign(await tokenFromStandardInput(terminal), user, cliAuthor(terminal));
        const isMoved = before !== undefined && before !== user;
        terminal.print(isMoved ? `token moved from user ${before} to user ${user}` : `token added for user ${user}`);
      }),
    );
  command
    .command("remove")
    .description("remove the token on standard input")
    .action(() =>
      onStores(async ({ manageTokens }) => {
        const before = await manageTokens.revoke(await tokenFromStandardInput(terminal), cliAuthor(terminal));
        terminal.print(before === undefined ? "unknown token" : `token removed from user ${before}`);
      }),
    );
  return command;
}
