import { CommanderError } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import type { CommandContext } from "../../adapters/cli/command-context.ts";
import { type GlobalOptions, programOf } from "../../adapters/cli/program.ts";
import { reportFailure, usageExit } from "../../adapters/cli/report-failure.ts";
import { Results } from "../../adapters/cli/results.ts";
import { type Standard, Terminal } from "../../adapters/cli/terminal.ts";
import { OperationFailed } from "../../infrastructure/operation-failed.ts";
import { defaultFile } from "../config/default-file.ts";

/**
 * Runs one CLI call and returns its exit code: 0 for success, 1 for a failure, 2 for a wrong command line, 78 for what
 * an operator has to fix first. All input and output goes through `standard`, so calls in one process are independent.
 * Only `serve` uses the process itself. Returns once the output is written.
 */
export async function runCli(argv: readonly string[], standard: Standard): Promise<number> {
  const terminal = new Terminal(standard);
  const code = await outcome(argv, terminal);
  const lost = await terminal.flush();
  return lost
    ? reportFailure(new OperationFailed(`cannot write to standard output: ${lost.message}`), terminal.stderr)
    : code;
}

async function outcome(argv: readonly string[], terminal: Terminal): Promise<number> {
  const used = new Set<string>();
  const program = programOf(packageJson.version, (options) => contextOf(terminal, options, used));
  try {
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has already printed its message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExit;
    const code = reportFailure(error, terminal.stderr);
    if (code === 1) for (const file of used) terminal.note(`(configuration: ${file})`);
    return code;
  }
}

/** Each command loads only what it needs. Adds the configuration file of a task on stores to `used`. */
function contextOf(terminal: Terminal, options: () => GlobalOptions, used: Set<string>): CommandContext {
  const { env } = terminal;
  const configFile = () => options().config ?? defaultFile(env);
  const loadConfig = async (file = configFile()) => (await import("../config/config.ts")).loadConfig(file, env);
  return {
    terminal,
    results: new Results(terminal, () => options().json === true),
    configFile,
    loadConfig,
    onStores: async (task) => {
      const config = await loadConfig();
      used.add(config.file);
      await (await import("./run-on-stores.ts")).runOnStores(config, terminal, task);
    },
    serve: async () => (await import("./serve.ts")).serve(configFile(), env),
  };
}
