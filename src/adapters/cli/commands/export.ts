import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { ExportData, Exported } from "../../../application/transfer/export-data.ts";
import { OperationFailed } from "../../../infrastructure/operation-failed.ts";
import type { CommandContext } from "../command-context.ts";
import { lineText } from "../data-lines.ts";
import { counts, Progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

/** `tidegate export`: exports the data of the stores. */
export const define = (command: Command, { onStores, terminal }: CommandContext): void =>
  void command
    .addHelpText("after", "\nWrites one JSON document per line; see docs/how-to/import-and-export.md.")
    .option("--output <FILE>", "file that appears when it is complete (default: standard output)")
    .action(({ output }: { output?: string }) =>
      onStores(async ({ exportData }) => {
        const count: Count = { written: -1, omitted: 0, parts: new Map() };
        const texts = textsOf(exportData, count, new Progress(terminal.stderr));
        const isComplete = await (output === undefined ? terminal.write(texts) : writeFileAtomically(output, texts));
        if (isComplete) await report(count, exportData, terminal);
      }),
    );

/**
 * Progress of an export: lines written (without the header), and members of sets or tokens that were left out. `parts`
 * counts lines by kind and source.
 */
type Count = { written: number; omitted: number; readonly parts: Map<Exported, Map<string, number>> };

async function* textsOf(exportData: ExportData, count: Count, progress: Progress): AsyncGenerator<string> {
  for await (const { lines, skipped, of, source = "" } of exportData.export()) {
    if (of) {
      const part = count.parts.get(of) ?? new Map<string, number>();
      count.parts.set(of, part.set(source, (part.get(source) ?? 0) + lines.length));
    }
    yield lines.map((line) => `${lineText(line)}\n`).join("");
    count.written += lines.length;
    count.omitted += skipped;
    progress.report("exported lines", count.written);
  }
  progress.end();
}

async function writeFileAtomically(file: string, texts: AsyncIterable<string>): Promise<true> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, texts, { mode: 0o600, flush: true });
    await rename(draft, file);
    return true;
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    if (!isOfFile(cause)) throw cause;
    throw new OperationFailed(`${file} cannot be written: ${cause.message}; name another file`);
  }
}

async function report({ written, omitted, parts }: Count, exportData: ExportData, terminal: Terminal): Promise<void> {
  const { tokens } = exportData;
  terminal.note(`exported ${counts(written)} lines: ${[...parts].map(partText).join(", ")}`);
  for (const { connection, keys, count } of await exportData.unread()) {
    const named = keys.map((key) => JSON.stringify(key)).join(", ");
    const more = count > keys.length ? ` and ${counts(count - keys.length)} more` : "";
    terminal.note(
      `warning: no source reads these sets of connection ${connection}, so they were not exported: ${named}${more}; add a source for them`,
    );
  }
  if (omitted > 0) terminal.note(`omitted invalid set members and token keys: ${counts(omitted)}`);
  if (tokens === "omitted") {
    terminal.note(
      "tokens were not exported: the layout plain stores them as they are (the layout hashed exports digests)",
    );
  }
}

/** For example `3 sets (global 1, user 2)`. */
function partText([of, bySource]: readonly [Exported, ReadonlyMap<string, number>]): string {
  const sum = [...bySource.values()].reduce((total, each) => total + each, 0);
  const named = [...bySource].filter(([source]) => source !== "").map(([source, each]) => `${source} ${counts(each)}`);
  return `${counts(sum)} ${of}${named.length > 0 ? ` (${named.join(", ")})` : ""}`;
}

/** Whether an error comes from the file system. */
const isOfFile = (cause: unknown): cause is NodeJS.ErrnoException =>
  cause instanceof Error && "syscall" in cause && "path" in cause;
