import { relative } from "node:path";
import { Command } from "commander";
import { builtIn, kinds } from "../../sources/_catalogue/source-catalogue.ts";
import { newSource, newSourceOutside, writeDrafts } from "../new-source.ts";
import type { Terminal } from "../terminal.ts";

/** `tidegate sources`: lists the kinds of source, and scaffolds a new kind. */
export function sourcesCommand(terminal: Terminal): Command {
  const command = new Command("sources").description("list kinds of source, scaffold a kind");
  command
    .command("kinds")
    .description("print the kinds of source, one per line")
    .action(async () => {
      const width = Math.max(...kinds.map((kind) => kind.length));
      for (const kind of kinds) terminal.print(`${kind.padEnd(width)}  ${(await builtIn(kind)).summary}`);
    });
  command
    .command("new")
    .description("begin a kind of source of your own: write its file and its test")
    .argument("<kind>", "its name, as in opening-hours")
    .option("--outside <folder>", "write files that need nothing of this repository into a folder")
    .action((kind: string, { outside }: { outside?: string }) => {
      const { drafts, next } = outside === undefined ? newSource(kind) : newSourceOutside(kind, outside);
      writeDrafts(drafts);
      for (const { file } of drafts) terminal.print(`wrote ${relative("", file)}`);
      for (const line of next) terminal.print(line);
    });
  return command;
}
