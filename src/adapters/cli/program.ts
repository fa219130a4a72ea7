import { Command } from "commander";
import type { CommandContext } from "./command-context.ts";

/** Adds arguments, options, subcommands and the action to a command. */
type Define = (command: Command, context: CommandContext) => void;

/** A command: its line in the help, and the module that defines it, which is loaded when the command is called. */
type Entry = readonly [description: string, load: () => Promise<{ readonly define: Define }>];

const commands: Readonly<Record<string, Entry>> = {
  serve: ["serve HTTP until SIGTERM or SIGINT", () => import("./commands/serve.ts")],
  health: ["check that the service on this machine responds (for containers)", () => import("./commands/health.ts")],
  validate: ["validate a configuration and list all faults", () => import("./commands/validate.ts")],
  evaluate: ["print the features for a user, token or context", () => import("./commands/evaluate.ts")],
  explain: ["explain why features are on or off, now or at a past time", () => import("./commands/explain.ts")],
  features: ["list, show, kill and unkill features", () => import("./commands/features.ts")],
  sets: ["list, add and remove members of sets", () => import("./commands/sets.ts")],
  rules: ["list, get, set and remove rules of a source", () => import("./commands/rules.ts")],
  tokens: ["add and remove client tokens (read from standard input)", () => import("./commands/tokens.ts")],
  credentials: ["add, list and revoke operator credentials", () => import("./commands/credentials.ts")],
  sources: ["list configured sources, list kinds, scaffold a kind", () => import("./commands/sources.ts")],
  stores: ["accept a store that came back empty", () => import("./commands/stores.ts")],
  events: ["list, export and verify the event log", () => import("./commands/events.ts")],
  import: ["import sets, rules, descriptions and tokens", () => import("./commands/import.ts")],
  export: ["export sets, rules, descriptions and hashed tokens", () => import("./commands/export.ts")],
  demo: ["load the example of the README", () => import("./commands/demo.ts")],
};

/** Names of the commands. */
export const commandNames: readonly string[] = Object.keys(commands);

/** Width of the help text without a terminal. */
const helpWidth = 80;

/** Options of every command. */
export type GlobalOptions = { readonly config?: string; readonly json?: true };

/**
 * The command line `tidegate`. Loads only the command that is called. Throws `CommanderError` instead of exiting, after
 * it has written its message.
 */
export function programOf(version: string, context: (options: () => GlobalOptions) => CommandContext): Command {
  const program = new Command("tidegate")
    .description("Evaluate and manage feature flags.")
    .version(version, "-V, --version", "print the version")
    .option(
      "-c, --config <FILE>",
      "configuration file (env: TIDEGATE_CONFIG; default: config/tidegate.yaml if Redis URLs are set, otherwise config/embedded.yaml)",
    )
    .option("--json", "print results as JSON, one document per line")
    .helpOption("-h, --help", "print help")
    .configureHelp({ showGlobalOptions: true });
  const here = context(() => program.opts<GlobalOptions>());
  program.addHelpText("after", () => `\nConfiguration in use: ${here.configFile()}`);
  const loaders = new Map(
    Object.entries(commands).map(([name, [description, load]]) => [
      program.command(name).description(description),
      load,
    ]),
  );
  confine(program, here.terminal);
  program.hook("preSubcommand", async (_, command) => {
    (await loaders.get(command)?.())?.define(command, here);
    confine(command, here.terminal);
  });
  return program;
}

/** Makes a command and its subcommands write to the terminal, and throw `CommanderError` instead of exiting. */
function confine(command: Command, terminal: CommandContext["terminal"]): void {
  const { stdout, stderr } = terminal;
  command
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? helpWidth,
      getErrHelpWidth: () => stderr.columns ?? helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const each of command.commands) confine(each, terminal);
}
