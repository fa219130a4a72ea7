import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The environment of a command: the members of `process` that commands use. */
export type Standard = {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** User id, for systems that have no name for the user. */
  readonly getuid?: (() => number) | undefined;
};

/** An output stream; `isTTY` and `columns` are set if it is a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number };

/**
 * Environment, input and output of one command. Commands use this instead of `process` and `console`. Output after the
 * reader has closed the pipe is dropped, as in `tidegate ... | head`.
 */
export class Terminal {
  readonly #standard: Standard;

  constructor(standard: Standard) {
    this.#standard = standard;
    for (const stream of [this.stdout, this.stderr]) {
      // Without a listener, an error event ends the process.
      if (!stream.listeners("error").includes(storeFirst)) stream.on("error", storeFirst);
    }
  }

  get env(): NodeJS.ProcessEnv {
    return this.#standard.env;
  }

  /** Lazy, because Node opens the stream on first access. */
  get stdin(): Standard["stdin"] {
    return this.#standard.stdin;
  }

  get stdout(): OutputStream {
    return this.#standard.stdout;
  }

  get stderr(): OutputStream {
    return this.#standard.stderr;
  }

  get uid(): number | undefined {
    return this.#standard.getuid?.();
  }

  /** Writes a line to standard output. */
  print(line: string): void {
    this.stdout.write(`${line}\n`);
  }

  /** Writes a line to standard error: notes and diagnostics. */
  note(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** Writes chunks to standard output with backpressure. Returns `false` if standard output has failed. */
  async write(chunks: AsyncIterable<string | Uint8Array>): Promise<boolean> {
    try {
      await pipeline(chunks, this.stdout, { end: false });
      return true;
    } catch (error) {
      if (!errors.has(this.stdout)) throw error;
      return false;
    }
  }

  /** Waits until all output is written. Returns the error of standard output, except EPIPE. */
  async flush(): Promise<Error | undefined> {
    for (const stream of [this.stdout, this.stderr]) {
      // The stream emits its error after the callback of the write.
      await new Promise((resolve) => stream.write("", () => setImmediate(resolve)));
    }
    const error = errors.get(this.stdout);
    return error?.code === "EPIPE" ? undefined : error;
  }
}

/** The first error of each stream. Node's standard streams do not keep it in `errored`. */
const errors = new WeakMap<OutputStream, NodeJS.ErrnoException>();

function storeFirst(this: OutputStream, error: Error): void {
  if (!errors.has(this)) errors.set(this, error);
}
