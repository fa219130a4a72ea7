import type { DeclaredSource } from "../../domain/evaluation/source.ts";
import type { Results } from "./results.ts";
import type { Terminal } from "./terminal.ts";
import type { UseCases } from "./use-cases.ts";

/** A source in a configuration. */
export type CheckedSource = DeclaredSource & {
  readonly kind: string;
  /** How operators change it, and where that is stored. */
  readonly editable:
    | ({ readonly connection: string } & (
        | { readonly key: { readonly text: string } }
        | { readonly collection: string }
      ))
    | undefined;
  /** The file or URL that it reads, if any. */
  readonly reads: string | undefined;
};

/** The parts of a configuration that commands print or use. */
export type CheckedConfig = {
  readonly file: string;
  readonly sources: readonly CheckedSource[];
  readonly connections: Readonly<Record<string, unknown>>;
  readonly server: { readonly host: string; readonly port: number; readonly basePath: string };
};

/** The services of a command. */
export type CommandContext = {
  readonly terminal: Terminal;
  /** Prints the results of the command, as text or as JSON. */
  readonly results: Results;
  /** The configuration file in use. */
  readonly configFile: () => string;
  /** Runs a task on the configured stores, and closes them afterwards. */
  readonly onStores: (task: (use: UseCases) => Promise<void>) => Promise<void>;
  /** Loads a configuration; omitted: the one in use. Rejects with `ConfigError`. */
  readonly loadConfig: (file?: string) => Promise<CheckedConfig>;
  /** Serves HTTP until SIGTERM or SIGINT. */
  readonly serve: () => Promise<void>;
};
