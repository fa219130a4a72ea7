import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { runCli } from "../../src/bootstrap/runtime/run-cli.ts";

/** The exit code of a command, and its output. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * Runs a command of the command line in this process, with an empty data folder unless the environment names one.
 * `isMerged` puts standard error into standard output, as `2>&1` does.
 */
export async function tidegate(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input = "",
  isMerged = false,
): Promise<Ran> {
  const data = mkdtempSync(join(tmpdir(), "tidegate-data-"));
  const stdin = Readable.from([Buffer.from(input)]);
  const stdout = new Collector();
  const stderr = new Collector();
  try {
    const standard = { env: { TIDEGATE_DATA: data, ...env }, stdin, stdout, stderr: isMerged ? stdout : stderr };
    return { code: await runCli(args, standard), stdout: stdout.text, stderr: stderr.text };
  } finally {
    rmSync(data, { recursive: true });
  }
}

class Collector extends Writable {
  readonly #chunks: Buffer[] = [];

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}
