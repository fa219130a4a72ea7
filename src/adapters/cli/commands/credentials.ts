import { Command, Option } from "commander";
import { type Scope, scopes } from "../../../domain/admin/credential.ts";
import { cliAuthor } from "../cli-actor.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

/** `tidegate credentials`: adds, lists and revokes operator credentials. */
export function credentialsCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("credentials").description("say who may operate the service");
  command
    .command("add")
    .description("issue a credential, and print its secret, which is not told again")
    .argument("<name>", "whose it is; what they change is recorded under this name")
    .addOption(new Option("--scope <scope>", "what it may do").choices(scopes).makeOptionMandatory())
    .option("--email <address>", "where they can be reached")
    .action((name: string, { scope, email }: { scope: Scope; email?: string }) =>
      onStores(async ({ manageCredentials }) => {
        terminal.print(await manageCredentials.add(name, scope, email, cliAuthor(terminal)));
      }),
    );
  command
    .command("list")
    .description("print the credentials that were issued: name, scope, email and since when")
    .action(() =>
      onStores(async ({ manageCredentials }) => {
        const rows = (await manageCredentials.list()).map((each) => [
          each.name,
          each.scope,
          each.email ?? "-",
          each.since,
        ]);
        const widths = rows.reduce((most, row) => row.map((cell, at) => Math.max(cell.length, most[at] ?? 0)), [0]);
        for (const row of rows)
          terminal.print(
            row
              .map((cell, at) => cell.padEnd(widths[at] ?? 0))
              .join("  ")
              .trimEnd(),
          );
      }),
    );
  command
    .command("revoke")
    .description("make a credential unknown, within a second everywhere")
    .argument("<name>")
    .action((name: string) =>
      onStores(async ({ manageCredentials }) => {
        await manageCredentials.revoke(name, cliAuthor(terminal));
        terminal.print(`${name}: revoked`);
      }),
    );
  return command;
}
