import { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

/** `tidegate stores`: accepts a store that came back empty. */
export function storesCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("stores").description("accept a store that came back empty");
  command
    .command("accept")
    .description("accept a store as it is, even if it is empty")
    .argument("[connection]", "connection (default: all)")
    .action((connection?: string) =>
      onStores(async ({ acceptStores }) => {
        for (const name of await acceptStores.accept(connection)) terminal.print(`${name}: accepted`);
      }),
    );
  return command;
}
