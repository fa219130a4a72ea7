import { text } from "node:stream/consumers";
import { Command } from "commander";
import { ChangeRejected } from "../../../domain/errors.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { cliAuthor } from "../cli-actor.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

const pageSize = 1_000;

/** `tidegate rules`: lists, gets, sets and removes the rules of sources. */
export function rulesCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("rules").description("list, get, set and remove rules of a source");
  const verb = (name: string, description: string) =>
    command.command(name).description(description).argument("<source>", "name of the source");
  const ofFeature = (name: string, description: string) => verb(name, description).argument("<feature>");

  verb("list", "print the rules of a source, one per line").action((source: string) =>
    onStores(async ({ manageRules }) => {
      for (let after: string | undefined, more = true; more; ) {
        const page = await manageRules.list(source, pageSize, "", after);
        for (const { feature, rule, isValid } of page.rules) {
          terminal.print(`${feature} ${JSON.stringify(rule)}${isValid ? "" : " (invalid, not in effect)"}`);
        }
        ({ more } = page);
        after = page.rules.at(-1)?.feature;
      }
    }),
  );
  ofFeature("get", "print the rule of a feature as JSON").action((source: string, feature: string) =>
    onStores(async ({ manageRules }) => {
      const { rule } = await manageRules.get(source, feature);
      terminal.print(JSON.stringify(rule, null, 2));
    }),
  );
  ofFeature("set", "set the rule of a feature")
    .argument("[rule]", "JSON (default: standard input)")
    .action((source: string, feature: string, rule?: string) =>
      onStores(async ({ manageRules }) => {
        const kept = await manageRules.put(
          source,
          feature,
          jsonIn(rule ?? (await text(terminal.stdin))),
          cliAuthor(terminal),
        );
        terminal.print(`rule for ${feature} in ${source}: ${JSON.stringify(kept.rule)}`);
      }),
    );
  ofFeature("remove", "remove the rule of a feature").action((source: string, feature: string) =>
    onStores(async ({ manageRules }) => {
      const { removed } = await manageRules.remove(source, feature, cliAuthor(terminal));
      terminal.print(removed ? `rule for ${feature} in ${source}: removed` : `no rule for ${feature} in ${source}`);
    }),
  );
  return command;
}

function jsonIn(given: string): Json {
  try {
    return JSON.parse(given);
  } catch {
    throw new ChangeRejected("invalid JSON; write a rule such as '{\"on\": true}'.");
  }
}
