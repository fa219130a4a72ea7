import { Command } from "commander";
import type { CommandContext } from "./command-context.ts";

/** Adds arguments, options, subcommands and the action to a command. */
type Define = (command: Command, context: CommandContext) => void;

/** A command: its line in the help, and its definition, which is loaded when the command is called. */
type Entry = { readonly name: string; readonly description: string; readonly load: () => Promise<Define> };

const commands: readonly Entry[] = [
  {
    name: "serve",
    description: "serve HTTP until SIGTERM or SIGINT",
    load: async () => (await import("./commands/serve.ts")).defineServe,
  },
  {
    name: "health",
    description: "check that the service on this machine responds (for containers)",
    load: async () => (await import("./commands/health.ts")).defineHealth,
  },
  {
    name: "validate",
    description: "validate a configuration and list all faults",
    load: async () => (await import("./commands/validate.ts")).defineValidate,
  },
  {
    name: "evaluate",
    description: "print the features for a user, token or context",
    load: async () => (await import("./commands/evaluate.ts")).defineEvaluate,
  },
  {
    name: "explain",
    description: "explain why features are on or off, now or at a past time",
    load: async () => (await import("./commands/explain.ts")).defineExplain,
  },
  {
    name: "features",
    description: "list, show, kill and unkill features",
    load: async () => (await import("./commands/features.ts")).defineFeatures,
  },
  {
    name: "sets",
    description: "list, add and remove members of sets",
    load: async () => (await import("./commands/sets.ts")).defineSets,
  },
  {
    name: "rules",
    description: "list, get, set and remove rules of a source",
    load: async () => (await import("./commands/rules.ts")).defineRules,
  },
  {
    name: "tokens",
    description: "add and remove client tokens (read from standard input)",
    load: async () => (await import("./commands/tokens.ts")).defineTokens,
  },
  {
    name: "credentials",
    description: "add, list and revoke operator credentials",
    load: async () => (await import("./commands/credentials.ts")).defineCredentials,
  },
  {
    name: "sources",
    description: "list configured sources, list kinds, scaffold a kind",
    load: async () => (await import("./commands/sources.ts")).defineSources,
  },
  {
    name: "stores",
    description: "accept a store that came back empty",
    load: async () => (await import("./commands/stores.ts")).defineStores,
  },
  {
    name: "events",
    description: "list, export and verify the event log",
    load: async () => (await import("./commands/events.ts")).defineEvents,
  },
  {
    name: "import",
    description: "import sets, rules, descriptions and tokens",
    load: async () => (await import("./commands/import.ts")).defineImport,
  },
  {
    name: "export",
    description: "export sets, rules, descriptions and hashed tokens",
    load: async () => (await import("./commands/export.ts")).defineExport,
  },
  {
    name: "demo",
    description: "load the example of the README",
    load: async () => (await import("./commands/demo.ts")).defineDemo,
  },
];

/** Names of the commands. */
export const commandNames: readonly string[] = commands.map(({ name }) => name);

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
    commands.map(({ name, description, load }) => [program.command(name).description(description), load]),
  );
  confine(program, here.terminal);
  program.hook("preSubcommand", async (_, command) => {
    const define = await loaders.get(command)?.();
    define?.(command, here);
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
