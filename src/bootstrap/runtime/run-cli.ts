import { Command, CommanderError } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { credentialsCommand } from "../../adapters/cli/commands/credentials.ts";
import { demoCommand } from "../../adapters/cli/commands/demo.ts";
import { evaluateCommand } from "../../adapters/cli/commands/evaluate.ts";
import { eventsCommand } from "../../adapters/cli/commands/events.ts";
import { explainCommand } from "../../adapters/cli/commands/explain.ts";
import { exportCommand } from "../../adapters/cli/commands/export.ts";
import { healthCommand } from "../../adapters/cli/commands/health.ts";
import { importCommand } from "../../adapters/cli/commands/import.ts";
import { rulesCommand } from "../../adapters/cli/commands/rules.ts";
import { setsCommand } from "../../adapters/cli/commands/sets.ts";
import { sourcesCommand } from "../../adapters/cli/commands/sources.ts";
import { storesCommand } from "../../adapters/cli/commands/stores.ts";
import { tokensCommand } from "../../adapters/cli/commands/tokens.ts";
import { reportFailure } from "../../adapters/cli/report-failure.ts";
import { type Standard, Terminal } from "../../adapters/cli/terminal.ts";
import type { OnStores } from "../../adapters/cli/use-cases.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { defaultFile } from "../config/default-file.ts";

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
    ? reportFailure(new SetupFailed(`cannot write to standard output: ${lost.message}`), terminal.stderr)
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
  // Each command loads only what it needs.
  const configured = async (path: string) => (await import("../config/config.ts")).loadConfig(path, env);
  const onStores: OnStores = async (task) => (await import("./run-on-stores.ts")).runOnStores(file(), terminal, task);

  program
    .command("serve")
    .description("answer clients over HTTP until SIGTERM or SIGINT")
    .action(async () => (await import("./serve.ts")).serve(file(), env));
  program
    .command("validate")
    .description("check a configuration, and say everything that is wrong with it")
    .argument("[file]", "the configuration; else the one that would be served")
    .action(async (argument?: string) => {
      const { file: checked, sources, connections } = await configured(argument ?? file());
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
    .addCommand(sourcesCommand(terminal))
    .addCommand(healthCommand(async () => (await configured(file())).server, terminal));
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
