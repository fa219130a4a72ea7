import { Command, CommanderError } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { credentialsCommand } from "../../adapters/cli/commands/credentials.ts";
import { demoCommand } from "../../adapters/cli/commands/demo.ts";
import { evaluateCommand } from "../../adapters/cli/commands/evaluate.ts";
import { eventsCommand } from "../../adapters/cli/commands/events.ts";
import { explainCommand } from "../../adapters/cli/commands/explain.ts";
import { exportCommand } from "../../adapters/cli/commands/export.ts";
import { importCommand } from "../../adapters/cli/commands/import.ts";
import { rulesCommand } from "../../adapters/cli/commands/rules.ts";
import { setsCommand } from "../../adapters/cli/commands/sets.ts";
import { sourcesCommand } from "../../adapters/cli/commands/sources.ts";
import { storesCommand } from "../../adapters/cli/commands/stores.ts";
import { tokensCommand } from "../../adapters/cli/commands/tokens.ts";
import { reportFailure } from "../../adapters/cli/report-failure.ts";
import { type Standard, Terminal } from "../../adapters/cli/terminal.ts";
import type { OnStores, UseCases } from "../../adapters/cli/use-cases.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import { createLog } from "../../infrastructure/logger.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { type Composition, compose } from "../composition/container.ts";
import { DiKeys } from "../composition/di-keys.ts";
import { defaultFile, loadConfig } from "../config/config.ts";

/** Command timeout of the CLI. Longer than that of the service, because an operator may be far from Redis. */
const commandTimeoutMs = 2_000;

/** Width of the help text without a terminal. */
const helpWidth = 80;

/**
 * Runs one CLI call and returns its exit code: 0 for success, 78 for an invalid configuration, otherwise 1. All input
 * and output goes through `standard`, so calls in one process are independent. Only `serve` uses the process itself.
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
    // Commander has already printed its message.
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
    composition.replace(DiKeys.Log, createLog(env["LOG_LEVEL"] ?? "silent", terminal.stderr));
    composition.replace(DiKeys.CommandTimeoutMs, commandTimeoutMs);
    const connections = [...composition.get(DiKeys.Connections).values()];
    const outcomes = await Promise.allSettled(connections.map((connection) => connection.connected()));
    try {
      await task(useCasesOf(composition));
    } catch (error) {
      // The task may not need an unreachable store, but if the task failed, that store is the probable cause.
      const away = outcomes.find((outcome) => outcome.status === "rejected");
      throw away && !(error instanceof ChangeRejected) ? away.reason : error;
    }
  };

  program
    .command("serve")
    .description("answer clients over HTTP until SIGTERM or SIGINT")
    // The other commands do not load HTTP.
    .action(async () => (await import("./serve.ts")).serve(file(), env));
  program
    .command("validate")
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
    .addCommand(evaluateCommand(onStores, terminal))
    .addCommand(explainCommand(onStores, terminal))
    .addCommand(setsCommand(onStores, terminal))
    .addCommand(rulesCommand(onStores, terminal))
    .addCommand(tokensCommand(onStores, terminal))
    .addCommand(credentialsCommand(onStores, terminal))
    .addCommand(demoCommand(onStores, terminal))
    .addCommand(storesCommand(onStores, terminal))
    .addCommand(eventsCommand(onStores, terminal))
    .addCommand(importCommand(onStores, terminal))
    .addCommand(exportCommand(onStores, terminal))
    .addCommand(sourcesCommand(terminal));
  confine(program, terminal);
  return program;
}

/** Makes a command and its subcommands write to the terminal, and throw `CommanderError` instead of exiting. */
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

/** Use cases are created on access: few tasks need the event log, for example. */
const useCasesOf = (composition: Composition): UseCases => ({
  get attributes() {
    return composition.get(DiKeys.CallContext).attributes;
  },
  get zone() {
    return composition.get(DiKeys.TimeZone);
  },
  get awaitSources() {
    return composition.get(DiKeys.AwaitSources);
  },
  get resolveFeatures() {
    return composition.get(DiKeys.EvaluateFeatures);
  },
  get explainFeatures() {
    return composition.get(DiKeys.ExplainFeatures);
  },
  get changeSet() {
    return composition.get(DiKeys.ChangeSet);
  },
  get manageRules() {
    return composition.get(DiKeys.ManageRules);
  },
  get manageTokens() {
    return composition.get(DiKeys.ManageTokens);
  },
  get manageCredentials() {
    return composition.get(DiKeys.ManageCredentials);
  },
  get loadDemo() {
    return composition.get(DiKeys.LoadDemo);
  },
  get acceptStores() {
    return composition.get(DiKeys.AcceptStores);
  },
  get readActivity() {
    return composition.get(DiKeys.ReadEvents);
  },
  get importData() {
    return unwatched(composition).get(DiKeys.ImportData);
  },
  get exportData() {
    return unwatched(composition).get(DiKeys.ExportData);
  },
});

/** Disables change notifications: without a cache, up to a million invalidations would be useless. */
function unwatched(composition: Composition): Composition {
  composition.replace(DiKeys.CachedSets, new Map());
  composition.replace(DiKeys.CachedRules, new Map());
  return composition;
}
