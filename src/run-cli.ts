import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { activityCommand } from "./adapters/cli/activity.ts";
import { credentialsCommand } from "./adapters/cli/credentials.ts";
import { demoCommand } from "./adapters/cli/demo.ts";
import { explainCommand } from "./adapters/cli/explain.ts";
import { exportCommand } from "./adapters/cli/export.ts";
import { featuresCommand } from "./adapters/cli/features.ts";
import { importCommand } from "./adapters/cli/import.ts";
import { reportFailure } from "./adapters/cli/report-failure.ts";
import { setCommand } from "./adapters/cli/set.ts";
import { settingsCommand } from "./adapters/cli/settings.ts";
import { sourcesCommand } from "./adapters/cli/sources.ts";
import { storeCommand } from "./adapters/cli/store.ts";
import { type Standard, Terminal } from "./adapters/cli/terminal.ts";
import { tokenCommand } from "./adapters/cli/token.ts";
import type { OnStores, UseCases } from "./adapters/cli/use-cases.ts";
import { defaultFile, loadConfig } from "./config.ts";
import { type Composition, compose } from "./container.ts";
import { ChangeRefused } from "./domain/errors.ts";
import { createLog } from "./infrastructure/logger.ts";
import { SetupFailed } from "./infrastructure/setup-failed.ts";
import { Tokens } from "./tokens.ts";

/** An operator may be far from Redis, and waits longer than a client of the service. */
const commandTimeoutMs = 2_000;

/** The width of help where no terminal tells its own. */
const helpWidth = 80;

/**
 * Runs one call of the command line and returns its exit code: 0, 78 for an invalid configuration, otherwise 1. All
 * input and output is in `standard`, so calls in one process are independent; only `serve` uses the process itself.
 * Returns once the output is written.
 */
export async function runCli(argv: readonly string[], standard: Standard): Promise<number> {
  const terminal = new Terminal(standard);
  const code = await outcome(programOn(terminal), argv, terminal);
  const lost = await terminal.flush();
  return lost
    ? reportFailure(
        new SetupFailed(`standard output cannot be written: ${lost.message}; make room, or write elsewhere`),
        terminal.stderr,
      )
    : code;
}

async function outcome(program: Command, argv: readonly string[], { stderr }: Terminal): Promise<number> {
  try {
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has written its message already.
    return error instanceof CommanderError ? error.exitCode : reportFailure(error, stderr);
  }
}

function programOn(terminal: Terminal): Command {
  const { env } = terminal;
  const program = new Command("tidegate")
    .description("Tells clients which features they may activate.")
    .version(packageJson.version)
    .option(
      "-c, --config <file>",
      "the configuration; else TIDEGATE_CONFIG, else config/tidegate.yaml where Redis URLs are set, else config/embedded.yaml",
    );
  const file = () => program.opts<{ config?: string }>().config ?? defaultFile(env);
  const onStores: OnStores = async (task) => {
    const config = await loadConfig(file(), env);
    await using composition = compose(config, env);
    composition.replace(Tokens.Log, createLog(env["LOG_LEVEL"] ?? "silent", terminal.stderr));
    composition.replace(Tokens.CommandTimeoutMs, commandTimeoutMs);
    const connections = [...composition.get(Tokens.Connections).values()];
    const outcomes = await Promise.allSettled(connections.map((connection) => connection.connected()));
    try {
      await task(useCasesOf(composition));
    } catch (error) {
      // A store that the task does not need may be away; if it failed, that is probably why.
      const away = outcomes.find((outcome) => outcome.status === "rejected");
      throw away && !(error instanceof ChangeRefused) ? away.reason : error;
    }
  };

  program
    .command("serve")
    .description("answer clients over HTTP until SIGTERM or SIGINT")
    // All else needs no HTTP.
    .action(async () => (await import("./main.ts")).serve(file(), env));
  program
    .command("check")
    .description("check a configuration, and say everything that is wrong with it")
    .argument("[file]", "the configuration; else the one that would be served")
    .action(async (argument?: string) => {
      const { file: checked, sources, connections } = await loadConfig(argument ?? file(), env);
      const names = sources.map(({ name }) => name).join(", ");
      terminal.print(
        `${checked} can be used: sources ${names}; connections ${Object.keys(connections).join(", ") || "none"}`,
      );
    });
  program
    .addCommand(featuresCommand(onStores, terminal))
    .addCommand(explainCommand(onStores, terminal))
    .addCommand(setCommand(onStores, terminal))
    .addCommand(settingsCommand(onStores, terminal))
    .addCommand(tokenCommand(onStores, terminal))
    .addCommand(credentialsCommand(onStores, terminal))
    .addCommand(demoCommand(onStores, terminal))
    .addCommand(storeCommand(onStores, terminal))
    .addCommand(activityCommand(onStores, terminal))
    .addCommand(importCommand(onStores, terminal))
    .addCommand(exportCommand(onStores, terminal))
    .addCommand(sourcesCommand(terminal));
  confine(program, terminal);
  return program;
}

/** Has a command and those below it write to the terminal, and throw a `CommanderError` instead of ending the process. */
function confine(command: Command, terminal: Terminal): void {
  const { stdout, stderr } = terminal;
  command.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => stdout.columns ?? helpWidth,
    getErrHelpWidth: () => stderr.columns ?? helpWidth,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  for (const each of command.commands) confine(each, terminal);
}

/** Each is made only where it is used: few tasks need the activity log, for example. */
const useCasesOf = (composition: Composition): UseCases => ({
  get attributes() {
    return composition.get(Tokens.CallContext).attributes;
  },
  get zone() {
    return composition.get(Tokens.TimeZone);
  },
  get awaitSources() {
    return composition.get(Tokens.AwaitSources);
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
