import { Command } from "commander";
import { told } from "../../application/identify-caller.ts";
import { inOrder } from "../../domain/feature.ts";
import { callerOf } from "./caller-of.ts";
import type { OnStores } from "./use-cases.ts";

type Options = { user?: string; token?: true; location?: string };

/** `tidegate features`: what somebody would be answered. */
export const featuresCommand = (onStores: OnStores): Command =>
  new Command("features")
    .description("print the features that somebody would get, a line each; without options, what everyone gets")
    .option("--user <id>", "what this user gets")
    .option("--token", "what the token on standard input gets")
    .option("--location <name>", "at this location")
    .action((options: Options) =>
      onStores(async ({ resolveFeatures }) => {
        const { features, missing } = await resolveFeatures.execute(
          await callerOf(options),
          told({ location: options.location }),
        );
        for (const feature of inOrder(features.keys())) console.log(feature);
        if (missing.length > 0) console.error(`incomplete: ${missing.join(", ")} cannot answer and may be left out`);
      }),
    );
