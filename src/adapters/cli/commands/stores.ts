import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

/** `tidegate stores`: accepts a store that came back empty. */
export function define(command: Command, { onStores, results }: CommandContext): void {
  withJson(command.command("accept"), { accepted: ["features"] })
    .description("accept a store as it is, even if it is empty")
    .argument("[connection]", "name of the connection (default: all)")
    .action((connection?: string) =>
      onStores(async ({ acceptStores }) => {
        const accepted = await acceptStores(connection);
        results.print({ accepted }, ...accepted.map((name) => `${name}: accepted`));
      }),
    );
}
