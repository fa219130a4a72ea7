import { Command } from "commander";
import { builtIn, kinds } from "../source-catalogue.ts";

/** `tidegate sources`: the kinds of source there are. */
export const sourcesCommand = (): Command =>
  new Command("sources").description("list the kinds of source there are").action(async () => {
    const width = Math.max(...kinds.map((kind) => kind.length));
    for (const kind of kinds) console.log(`${kind.padEnd(width)}  ${(await builtIn(kind)).summary}`);
  });
