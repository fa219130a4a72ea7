import { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

/** `tidegate store`: accepts a store that came back empty. */
export function storeCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("store").description("say what to make of a store that came back empty");
  command
    .command("accept")
    .description("believe a store as it is, also when it is empty")
    .argument("[connection]", "the connection; else all")
    .action((connection?: string) =>
      onStores(async ({ acceptStores }) => {
        for (const name of await acceptStores.accept(connection)) terminal.print(`${name}: believed as it is`);
      }),
    );
  return command;
}
