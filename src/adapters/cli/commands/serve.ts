import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";

/** `tidegate serve`: serves HTTP. */
export const define = (command: Command, { serve }: CommandContext): void => void command.action(serve);
