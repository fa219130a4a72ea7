import { relative } from "node:path";
import type { Command } from "commander";
import { builtIn, kinds } from "../../sources/_catalogue/source-catalogue.ts";
import type { CheckedSource, CommandContext } from "../command-context.ts";
import { withJson, withJsonLines } from "../json-help.ts";
import { newSource, newSourceOutside, writeDrafts } from "../new-source.ts";

const header = ["NAME", "KIND", "ROLE", "READS", "GATED BY", "EDIT WITH"];

/** `tidegate sources`: lists the configured sources and the kinds of source, and scaffolds a new kind. */
export function define(command: Command, { loadConfig, results }: CommandContext): void {
  withJsonLines(command.command("list"), {
    name: "user",
    kind: "set",
    role: "grant",
    gatedBy: ["active"],
    connection: "features",
    key: "features:user:{userId}",
    rules: null,
    reads: null,
  })
    .description("print the configured sources: kind, role, what they read, gates, and how to edit them")
    .action(async () => {
      const { sources } = await loadConfig();
      results.printRows(header, sources.map(rowOf));
    });
  withJsonLines(command.command("kinds"), { kind: "set", summary: "..." })
    .description("print the kinds of source, one per line")
    .action(async () => {
      const summaries = await Promise.all(
        kinds.map(async (kind) => ({ kind, summary: (await builtIn(kind)).summary })),
      );
      results.printRows(
        undefined,
        summaries.map((json) => ({ json, cells: [json.kind, json.summary] })),
      );
    });
  withJson(command.command("new"), { kind: "opening-hours", files: ["src/adapters/sources/opening-hours.ts"] })
    .description("scaffold a kind of source: its file and its test")
    .argument("<kind>", "name of the kind, such as opening-hours")
    .option("--outside <FOLDER>", "write files without imports from this repository into a folder")
    .action((kind: string, { outside }: { outside?: string }) => {
      const { drafts, next } = outside === undefined ? newSource(kind) : newSourceOutside(kind, outside);
      writeDrafts(drafts);
      const files = drafts.map(({ file }) => relative("", file));
      results.print({ kind, files }, ...files.map((file) => `wrote ${file}`), ...next);
    });
}

function rowOf({ name, kind, role, gatedBy, editable, reads }: CheckedSource) {
  const key = editable && "key" in editable ? editable.key.text : null;
  const collection = editable && "collection" in editable ? editable.collection : null;
  const { connection = null } = editable ?? {};
  const location = key ?? (collection === null ? (reads ?? "-") : `rules ${collection}`);
  return {
    json: { name, kind, role, gatedBy, connection, key, rules: collection, reads: reads ?? null },
    cells: [
      name,
      kind,
      role,
      connection === null ? location : `${location} (${connection})`,
      gatedBy.join(", ") || "-",
      key !== null ? "sets" : collection !== null ? "rules" : "-",
    ],
  };
}
