import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What a call of the command line gets from outside. `process` has these members. */
export type Standard = {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The number of the user, for a system that has no name for it. */
  readonly getuid?: (() => number) | undefined;
};

/** An output stream; `isTTY` and `columns` are those of a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number };

/**
 * Environment, input and output of one call of the command line. Commands use this instead of `process` and `console`.
 * Output that nobody reads any more is dropped, as for `tidegate ... | head`.
 */
export class Terminal {
  readonly #standard: Standard;

  constructor(standard: Standard) {
    this.#standard = standard;
    for (const stream of [this.stdout, this.stderr]) {
      // Without a listener an error would end the process.
      if (!stream.listeners("error").includes(remember)) stream.on("error", remember);
    }
  }

  get env(): NodeJS.ProcessEnv {
    return this.#standard.env;
  }

  /** Not touched before it is asked for: Node opens it then. */
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

  /** Writes a line to standard error: what is no result. */
  note(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** Writes chunks to standard output, no faster than the reader takes them. Returns false if it cannot be written any more. */
  async write(chunks: AsyncIterable<string | Uint8Array>): Promise<boolean> {
    try {
      await pipeline(chunks, this.stdout, { end: false });
      return true;
    } catch (error) {
      if (!errors.has(this.stdout)) throw error;
      return false;
    }
  }

  /** Waits until all output is written. Returns the error of standard output, unless it is that the reader left. */
  async flush(): Promise<Error | undefined> {
    for (const stream of [this.stdout, this.stderr]) {
      // The stream tells its error to listeners after it has told who writes.
      await new Promise((resolve) => stream.write("", () => setImmediate(resolve)));
    }
    const error = errors.get(this.stdout);
    return error?.code === "EPIPE" ? undefined : error;
  }
}

/** The first error of each stream. The standard streams of Node do not keep it in `errored`. */
const errors = new WeakMap<OutputStream, NodeJS.ErrnoException>();

function remember(this: OutputStream, error: Error): void {
  if (!errors.has(this)) errors.set(this, error);
}
