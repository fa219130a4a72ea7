import { Command } from "commander";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import { callerOf } from "../caller-of.ts";
import { type RequestContextOptions, requestContextOf, withRequestContext } from "../request-context-options.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

type Options = { user?: string; token?: true } & RequestContextOptions;

/** `tidegate evaluate`: evaluates the features for a user, token or context. */
export const evaluateCommand = (onStores: OnStores, terminal: Terminal): Command =>
  withRequestContext(new Command("evaluate"))
    .description("print the features that somebody would get, a line each; without options, what everyone gets")
    .option("--user <id>", "what this user gets")
    .option("--token", "what the token on standard input gets")
    .action((options: Options) =>
      onStores(async ({ awaitSources, resolveFeatures, attributes }) => {
        const circumstances = requestContextOf(options, attributes);
        const caller = await callerOf(options, terminal);
        await awaitSources.execute();
        const { features, missing } = await resolveFeatures.evaluate(caller, circumstances);
        for (const feature of inOrder(features.keys())) terminal.print(feature);
        if (missing.length > 0)
          terminal.note(
            `incomplete: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} unavailable and skipped`,
          );
      }),
    );
