import { Command } from "commander";
import { demo } from "../../../application/transfer/load-demo.ts";
import { cliAuthor } from "../cli-actor.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

/** `tidegate demo`: loads the example of the README into empty stores. */
export const demoCommand = (onStores: OnStores, terminal: Terminal): Command =>
  new Command("demo")
    .description("load the example of the README")
    .option("--yes", "also where the stores are not empty; it is added to what is there")
    .action(({ yes }: { yes?: true }) =>
      onStores(async ({ loadDemo }) => {
        await loadDemo.load(yes === true, cliAuthor(terminal));
        for (const [key, features] of Object.entries(demo.sets)) terminal.print(`${key}: ${features.join(", ")}`);
        terminal.print(`token ${demo.token}: user ${demo.userId}`);
      }),
    );
