import { text } from "node:stream/consumers";
import { Command } from "commander";
import { ChangeRejected } from "../../../domain/errors.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { cliAuthor } from "../cli-actor.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

const pageSize = 1_000;

/** `tidegate settings`: lists, gets, sets and removes the rules of sources. */
export function settingsCommand(onStores: OnStores, terminal: Terminal): Command {
  const command = new Command("settings").description("list and change what sources keep of single features");
  const verb = (name: string, description: string) =>
    command.command(name).description(description).argument("<source>", "the source, by its name");
  const ofFeature = (name: string, description: string) => verb(name, description).argument("<feature>");

  verb("list", "print what a source keeps, a feature and its setting as JSON a line").action((source: string) =>
    onStores(async ({ manageSettings }) => {
      for (let after: string | undefined, more = true; more; ) {
        const page = await manageSettings.list(source, pageSize, "", after);
        for (const { feature, rule: setting, isValid } of page.settings) {
          terminal.print(`${feature} ${JSON.stringify(setting)}${isValid ? "" : " (not heeded: it is no setting)"}`);
        }
        ({ more } = page);
        after = page.settings.at(-1)?.feature;
      }
    }),
  );
  ofFeature("get", "print what a source keeps of a feature, as JSON").action((source: string, feature: string) =>
    onStores(async ({ manageSettings }) => {
      const { rule: setting } = await manageSettings.get(source, feature);
      terminal.print(JSON.stringify(setting, null, 2));
    }),
  );
  ofFeature("set", "have a source keep something of a feature")
    .argument("[setting]", "JSON; else standard input")
    .action((source: string, feature: string, setting?: string) =>
      onStores(async ({ manageSettings }) => {
        const kept = await manageSettings.put(
          source,
          feature,
          jsonIn(setting ?? (await text(terminal.stdin))),
          cliAuthor(terminal),
        );
        terminal.print(`${source} keeps of ${feature}: ${JSON.stringify(kept.rule)}`);
      }),
    );
  ofFeature("remove", "have a source keep nothing of a feature").action((source: string, feature: string) =>
    onStores(async ({ manageSettings }) => {
      const { removed } = await manageSettings.remove(source, feature, cliAuthor(terminal));
      terminal.print(`${source} keeps nothing of ${feature}${removed ? " any more" : ", and kept nothing"}`);
    }),
  );
  return command;
}

function jsonIn(given: string): Json {
  try {
    return JSON.parse(given);
  } catch {
    throw new ChangeRejected("the setting is no JSON; write it as in '{\"on\": true}'.");
  }
}
