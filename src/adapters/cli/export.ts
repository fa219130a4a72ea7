import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { Command } from "commander";
import type { ExportData } from "../../application/export-data.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { textOf } from "./data-lines.ts";
import { counts, Progress } from "./progress.ts";
import type { OnStores } from "./use-cases.ts";

/** `tidegate export`: writes what the stores hold. */
export const exportCommand = (onStores: OnStores): Command =>
  new Command("export")
    .description(
      "write sets, descriptions of features and hashed tokens as lines of JSON; see docs/import-and-export.md",
    )
    .option("--output <file>", "a file, which is there only once it is whole; else standard output")
    .action(({ output }: { output?: string }) =>
      onStores(async ({ exportData }) => {
        if (output === undefined) return write(exportData, process.stdout);
        const draft = `${output}.${process.pid}`;
        const file = createWriteStream(draft, { mode: 0o600, flush: true });
        try {
          await once(file, "open");
          await write(exportData, file);
          await finished(file.end());
          await rename(draft, output);
        } catch (cause) {
          if (!isOfFile(cause)) throw cause;
          throw new SetupFailed(`${output} cannot be written: ${cause.message}; name another file`);
        }
      }),
    );

async function write(exportData: ExportData, to: Writable): Promise<void> {
  const progress = new Progress();
  let written = -1;
  let leftOut = 0;
  for await (const { lines, skipped } of exportData.execute()) {
    const text = lines.map((line) => `${textOf(line)}\n`).join("");
    if (!to.write(text)) await once(to, "drain");
    written += lines.length;
    leftOut += skipped;
    progress.tell("exported lines", written);
  }
  progress.end();
  console.error(`${counts(written)} lines were exported`);
  if (leftOut > 0)
    console.error(`${counts(leftOut)} members of sets, or keys of tokens, were left out: they can be none`);
  if (exportData.tokens === "kept") {
    console.error(
      "tokens were not exported: the stores hold them as they are; with the layout hashed their digests would be",
    );
  }
}

/** Whether a failure is one of the file. */
const isOfFile = (cause: unknown): cause is NodeJS.ErrnoException =>
  cause instanceof Error && "syscall" in cause && "path" in cause;
