import type { Command } from "commander";
import { demo } from "../../../application/transfer/load-demo.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

/** `tidegate demo`: loads the example of the README into empty stores. */
export const define = (command: Command, { onStores, results, terminal }: CommandContext): void =>
  void withJson(command, { sets: { global_features: ["feature_1"] }, token: "1234", user: "1" })
    .option("--yes", "also if the stores are not empty; adds to their content")
    .action(({ yes }: { yes?: true }) =>
      onStores(async ({ loadDemo }) => {
        await loadDemo(yes === true, cliAuthor(terminal));
        const { sets, token, userId } = demo;
        results.print(
          { sets, token, user: userId },
          ...Object.entries(sets).map(([key, features]) => `${key}: ${features.join(", ")}`),
          `token ${token}: user ${userId}`,
        );
      }),
    );
