import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { Command } from "commander";
import type { ExportData } from "../../application/export-data.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { textOf } from "./data-lines.ts";
import { counts, Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";
import type { OnStores } from "./use-cases.ts";

/** `tidegate export`: writes what the stores hold. */
export const exportCommand = (onStores: OnStores, terminal: Terminal): Command =>
  new Command("export")
    .description(
      "write sets, descriptions of features and hashed tokens as lines of JSON; see docs/import-and-export.md",
    )
    .option("--output <file>", "a file, which is there only once it is whole; else standard output")
    .action(({ output }: { output?: string }) =>
      onStores(async ({ exportData }) => {
        const count = { written: -1, leftOut: 0 };
        const texts = textsOf(exportData, count, new Progress(terminal.stderr));
        const isWhole = await (output === undefined ? terminal.write(texts) : writeFileWhole(output, texts));
        if (isWhole) tell(count, exportData, terminal);
      }),
    );

/** So many lines were written, without the header, and so many members of sets or tokens left out. */
type Count = { written: number; leftOut: number };

async function* textsOf(exportData: ExportData, count: Count, progress: Progress): AsyncGenerator<string> {
  for await (const { lines, skipped } of exportData.execute()) {
    yield lines.map((line) => `${textOf(line)}\n`).join("");
    count.written += lines.length;
    count.leftOut += skipped;
    progress.tell("exported lines", count.written);
  }
  progress.end();
}

async function writeFileWhole(file: string, texts: AsyncIterable<string>): Promise<true> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, texts, { mode: 0o600, flush: true });
    await rename(draft, file);
    return true;
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    if (!isOfFile(cause)) throw cause;
    throw new SetupFailed(`${file} cannot be written: ${cause.message}; name another file`);
  }
}

function tell({ written, leftOut }: Count, { tokens }: ExportData, terminal: Terminal): void {
  terminal.note(`${counts(written)} lines were exported`);
  if (leftOut > 0)
    terminal.note(`${counts(leftOut)} members of sets, or keys of tokens, were left out: they can be none`);
  if (tokens === "kept") {
    terminal.note(
      "tokens were not exported: the stores hold them as they are; with the layout hashed their digests would be",
    );
  }
}

/** Whether a failure is one of the file. */
const isOfFile = (cause: unknown): cause is NodeJS.ErrnoException =>
  cause instanceof Error && "syscall" in cause && "path" in cause;
