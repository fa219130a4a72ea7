import { Command } from "commander";
import { cliAuthor } from "../cli-actor.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

type Options = { connection?: string };

/** `tidegate sets`: lists and changes the sets of sources. */
export function setsCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("sets").description("list and change the sets behind the sources, by their keys");
  const verb = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .argument("<key>", "the key of the set, as in global_features or features:user:1")
      .option("--connection <name>", "the connection, where two have such a key");

  verb("add", "add features to a set")
    .argument("<features...>")
    .action((key: string, add: string[], { connection }: Options) =>
      onStores(async ({ changeSet }) => {
        const { added } = await changeSet.apply({ key, connection, add, remove: [] }, cliAuthor(terminal));
        terminal.print(`${key}: ${added.length} of ${add.length} added`);
      }),
    );
  verb("remove", "take features out of a set")
    .argument("<features...>")
    .action((key: string, remove: string[], { connection }: Options) =>
      onStores(async ({ changeSet }) => {
        const { removed } = await changeSet.apply({ key, connection, add: [], remove }, cliAuthor(terminal));
        terminal.print(`${key}: ${removed.length} of ${remove.length} removed`);
      }),
    );
  verb("list", "print the features in a set, a line each").action((key: string, { connection }: Options) =>
    onStores(async ({ changeSet }) => {
      const { features } = await changeSet.read({ key, connection });
      for (const feature of features) terminal.print(feature);
    }),
  );
  return command;
}
