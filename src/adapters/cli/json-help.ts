import type { Command } from "commander";

/** Adds an example of the JSON that a command prints to its help. */
export const withJson = (command: Command, example: object): Command => withExample(command, "With --json:", example);

/** Adds an example of the JSON that a command prints per item to its help. */
export const withJsonLines = (command: Command, example: object): Command =>
  withExample(command, "With --json, one line per item:", example);

const withExample = (command: Command, title: string, example: object): Command =>
  command.addHelpText("after", `\n${title}\n  ${JSON.stringify(example)}`);
