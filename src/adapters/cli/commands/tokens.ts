import { Command } from "commander";
import { cliAuthor } from "../cli-actor.ts";
import { tokenFromStandardInput } from "../standard-input.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

/** `tidegate token`: adds and removes client tokens. */
export function tokenCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("token").description(
    "say which tokens speak for whom; the token comes from standard input",
  );
  command
    .command("add")
    .description("let the token on standard input speak for a user")
    .requiredOption("--user <id>", "the user")
    .action(({ user }: { user: string }) =>
      onStores(async ({ manageTokens }) => {
        const { before } = await manageTokens.assign(await tokenFromStandardInput(terminal), user, cliAuthor(terminal));
        const moved = before === undefined || before === user ? "" : `, no longer for user ${before}`;
        terminal.print(`the token speaks for user ${user}${moved}`);
      }),
    );
  command
    .command("remove")
    .description("make the token on standard input unknown")
    .action(() =>
      onStores(async ({ manageTokens }) => {
        const before = await manageTokens.revoke(await tokenFromStandardInput(terminal), cliAuthor(terminal));
        terminal.print(
          before === undefined ? "the token was not known" : `the token no longer speaks for user ${before}`,
        );
      }),
    );
  return command;
}
