import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

/** `tidegate validate`: validates a configuration, and lists all its faults. */
export const define = (command: Command, { loadConfig, results }: CommandContext): void =>
  void withJson(command, { file: "my.yaml", sources: ["global"], connections: ["features"] })
    .argument("[file]", "configuration file (default: the one that is in use)")
    .action(async (path?: string) => {
      const { file, sources, connections } = await loadConfig(path);
      const names = { sources: sources.map(({ name }) => name), connections: Object.keys(connections) };
      results.print(
        { file, ...names },
        `${file} is valid: sources ${names.sources.join(", ")}; connections ${names.connections.join(", ") || "none"}`,
      );
    });
