#!/usr/bin/env node
import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { activityCommand } from "./adapters/cli/activity.ts";
import { credentialsCommand } from "./adapters/cli/credentials.ts";
import { demoCommand } from "./adapters/cli/demo.ts";
import { exitingWell } from "./adapters/cli/exit.ts";
import { explainCommand } from "./adapters/cli/explain.ts";
import { exportCommand } from "./adapters/cli/export.ts";
import { featuresCommand } from "./adapters/cli/features.ts";
import { importCommand } from "./adapters/cli/import.ts";
import { setCommand } from "./adapters/cli/set.ts";
import { settingsCommand } from "./adapters/cli/settings.ts";
import { sourcesCommand } from "./adapters/cli/sources.ts";
import { storeCommand } from "./adapters/cli/store.ts";
import { tokenCommand } from "./adapters/cli/token.ts";
import type { UseCases } from "./adapters/cli/use-cases.ts";
import { defaultFile, loadConfig } from "./config.ts";
import { type Composition, compose } from "./container.ts";
import { ChangeRefused } from "./domain/errors.ts";
import { createLog } from "./infrastructure/logger.ts";
import { Tokens } from "./tokens.ts";

const program = new Command("tidegate")
  .description("Tells clients which features they may activate.")
  .version(packageJson.version)
  .option(
    "-c, --config <file>",
    "the configuration; else TIDEGATE_CONFIG, else config/tidegate.yaml where Redis URLs are set, else config/embedded.yaml",
  );

const file = () => program.opts<{ config?: string }>().config ?? defaultFile(process.env);

/** Each is made only where it is used: few tasks need the activity log, for example. */
const useCasesOf = (composition: Composition): UseCases => ({
  get attributes() {
    return composition.get(Tokens.CallContext).attributes;
  },
  get resolveFeatures() {
    return composition.get(Tokens.ResolveFeatures);
  },
  get explainFeatures() {
    return composition.get(Tokens.ExplainFeatures);
  },
  get changeSet() {
    return composition.get(Tokens.ChangeSet);
  },
  get manageSettings() {
    return composition.get(Tokens.ManageSettings);
  },
  get manageTokens() {
    return composition.get(Tokens.ManageTokens);
  },
  get manageCredentials() {
    return composition.get(Tokens.ManageCredentials);
  },
  get loadDemo() {
    return composition.get(Tokens.LoadDemo);
  },
  get acceptStores() {
    return composition.get(Tokens.AcceptStores);
  },
  get readActivity() {
    return composition.get(Tokens.ReadActivity);
  },
  get importData() {
    return unwatched(composition).get(Tokens.ImportData);
  },
  get exportData() {
    return unwatched(composition).get(Tokens.ExportData);
  },
});

/** With nothing remembered of the stores, they need not tell of each of a million changes. */
function unwatched(composition: Composition): Composition {
  composition.replace(Tokens.CachedSets, new Map());
  composition.replace(Tokens.CachedSettings, new Map());
  return composition;
}

/** Runs a task on the configured stores, connected, and closes them. */
async function onStores(task: (use: UseCases) => Promise<void>): Promise<void> {
  const config = await loadConfig(file(), process.env);
  await using composition = compose(config, process.env);
  composition.replace(Tokens.Log, createLog(process.env["LOG_LEVEL"] ?? "silent"));
  const connections = [...composition.get(Tokens.Connections).values()];
  const outcomes = await Promise.allSettled(connections.map((connection) => connection.connected()));
  try {
    await task(useCasesOf(composition));
  } catch (error) {
    // A store that the task does not need may be away; if it failed, that is probably why.
    const away = outcomes.find((outcome) => outcome.status === "rejected");
    throw away && !(error instanceof ChangeRefused) ? away.reason : error;
  }
}

program
  .command("serve")
  .description("answer clients over HTTP until SIGTERM or SIGINT")
  // All else needs no HTTP.
  .action(async () => (await import("./main.ts")).serve(file(), process.env));

program
  .command("check")
  .description("check a configuration, and say everything that is wrong with it")
  .argument("[file]", "the configuration; else the one that would be served")
  .action(async (argument?: string) => {
    const { file: checked, sources, connections } = await loadConfig(argument ?? file(), process.env);
    const names = sources.map(({ name }) => name).join(", ");
    console.log(
      `${checked} can be used: sources ${names}; connections ${Object.keys(connections).join(", ") || "none"}`,
    );
  });

program
  .addCommand(featuresCommand(onStores))
  .addCommand(explainCommand(onStores))
  .addCommand(setCommand(onStores))
  .addCommand(settingsCommand(onStores))
  .addCommand(tokenCommand(onStores))
  .addCommand(credentialsCommand(onStores))
  .addCommand(demoCommand(onStores))
  .addCommand(storeCommand(onStores))
  .addCommand(activityCommand(onStores))
  .addCommand(importCommand(onStores))
  .addCommand(exportCommand(onStores))
  .addCommand(sourcesCommand());

// Who reads what is printed, as `head` does, may have enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

await exitingWell(async () => {
  await program.parseAsync();
});
