import { text } from "node:stream/consumers";
import type { Command } from "commander";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson, withJsonLines } from "../json-help.ts";
import { UsageError } from "../usage-error.ts";

const pageSize = 1_000;

/** `tidegate rules`: lists, gets, sets and removes the rules of sources. */
export function define(command: Command, { onStores, results, terminal }: CommandContext): void {
  const verb = (name: string, description: string) =>
    command.command(name).description(description).argument("<source>", "name of the source");
  const ofFeature = (name: string, description: string) => verb(name, description).argument("<feature>");

  const example = { source: "rollout", feature: "new_menu", rule: { percentage: 25 }, valid: true };
  withJsonLines(verb("list", "print the rules of a source, one per line"), example).action((source: string) =>
    onStores(async ({ manageRules }) => {
      for (let after: string | undefined, more = true; more; ) {
        const page = await manageRules.list(source, pageSize, "", after);
        for (const { feature, rule, isValid } of page.rules) {
          results.print(
            { source, feature, rule, valid: isValid },
            `${feature} ${JSON.stringify(rule)}${isValid ? "" : " (invalid, not in effect)"}`,
          );
        }
        ({ more } = page);
        after = page.rules.at(-1)?.feature;
      }
    }),
  );
  withJson(ofFeature("get", "print the rule of a feature"), example).action((source: string, feature: string) =>
    onStores(async ({ manageRules }) => {
      const { rule, isValid } = await manageRules.get(source, feature);
      results.print({ source, feature, rule, valid: isValid }, JSON.stringify(rule, null, 2));
    }),
  );
  withJson(ofFeature("set", "set the rule of a feature"), example)
    .argument("[rule]", "JSON (default: standard input)")
    .action((source: string, feature: string, input?: string) =>
      onStores(async ({ manageRules }) => {
        const value = jsonIn(input ?? (await text(terminal.stdin)));
        const { rule } = await manageRules.put(await manageRules.check(source, feature, value), cliAuthor(terminal));
        results.print(
          { source, feature, rule, valid: true },
          `rule for ${feature} in ${source}: ${JSON.stringify(rule)}`,
        );
      }),
    );
  const removal = { source: "rollout", feature: "new_menu", removed: true };
  withJson(ofFeature("remove", "remove the rule of a feature"), removal).action((source: string, feature: string) =>
    onStores(async ({ manageRules }) => {
      const { removed } = await manageRules.remove(source, feature, cliAuthor(terminal));
      results.print(
        { source, feature, removed },
        removed ? `rule for ${feature} in ${source}: removed` : `no rule for ${feature} in ${source}`,
      );
    }),
  );
}

function jsonIn(input: string): Json {
  try {
    return JSON.parse(input);
  } catch {
    throw new UsageError("invalid JSON; write a rule such as '{\"on\": true}'.");
  }
}
