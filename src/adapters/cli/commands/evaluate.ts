import type { Command } from "commander";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import { callerOf } from "../arguments/caller-of.ts";
import {
  type RequestContextOptions,
  requestContextOf,
  withRequestContext,
} from "../arguments/request-context-options.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

type Options = { user?: string; token?: true } & RequestContextOptions;

/** `tidegate evaluate`: evaluates the features for a user, token or context. */
export const define = (command: Command, { onStores, results, terminal }: CommandContext): void =>
  void withJson(withRequestContext(command), { features: ["feature_1"], skippedSources: [] }).action(
    (options: Options) =>
      onStores(async ({ awaitSources, evaluateFeatures, attributes }) => {
        const context = requestContextOf(options, attributes);
        const caller = await callerOf(options, terminal);
        await awaitSources();
        const { features, missing } = await evaluateFeatures.evaluate(caller, context);
        const keys = inOrder(features.keys());
        results.print({ features: keys, skippedSources: missing }, ...keys);
        if (missing.length > 0) {
          terminal.note(
            `incomplete: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} unavailable and skipped`,
          );
        }
      }),
  );
