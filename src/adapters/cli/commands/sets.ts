import type { Command } from "commander";
import { type SetOptions, setNameIn } from "../arguments/set-name.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

/** `tidegate sets`: lists and changes the members of sets. */
export function define(command: Command, { onStores, results, terminal }: CommandContext): void {
  const verb = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .argument("<set>", "name of a source, or key of a set such as features:user:1")
      .option("--user <ID>", "user of the set, if the source has one set per user")
      .option("--location <NAME>", "location of the set, if the source has one set per location")
      .option("--connection <NAME>", "connection of the key, if two connections have it");
  const change = (isAdded: boolean) => (name: string, features: string[], options: SetOptions) =>
    onStores(async ({ changeSet, editableSources }) => {
      const edit = isAdded ? { add: features, remove: [] } : { add: [], remove: features };
      const set = setNameIn(name, options, editableSources);
      const { key, added, removed } = await changeSet.apply({ ...set, ...edit }, cliAuthor(terminal));
      const changed = isAdded ? added : removed;
      results.print(
        { key, added, removed },
        `${key}: ${changed.length} of ${features.length} ${isAdded ? "added" : "removed"}`,
      );
    });

  const listed = { key: "features:user:1", features: ["feature_3"], invalidMembers: 0 };
  withJson(verb("list", "print the features in a set, one per line"), listed).action(
    (name: string, options: SetOptions) =>
      onStores(async ({ changeSet, editableSources }) => {
        const { key, features, invalidMembers } = await changeSet.read(setNameIn(name, options, editableSources));
        results.print({ key, features, invalidMembers }, ...features);
        if (invalidMembers > 0) terminal.note(`${invalidMembers} members are not valid feature keys`);
      }),
  );
  const changed = { key: "features:user:1", added: ["feature_3"], removed: [] };
  withJson(verb("add", "add features to a set"), changed).argument("<features...>").action(change(true));
  withJson(verb("remove", "remove features from a set"), changed).argument("<features...>").action(change(false));
}
