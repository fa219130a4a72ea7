import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorMessage } from "../../domain/error-message.ts";
import { ChangeRejected } from "../../domain/errors.ts";

/** Maximum length of a line, in bytes. */
const maxLineBytes = 16 * 1_024 * 1_024;
const chunkBytes = 256 * 1_024;
const lineFeed = 10;

/** A line and its number, counted from 1. `text` is `undefined` if the line is too long or not UTF-8. */
export type TextLine = { readonly number: number; readonly text: string | undefined };

/** A file of lines that can be read several times. */
export class LineFile implements AsyncDisposable {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Opens a file. Copies a stream, such as a pipe, to a temporary file first. Rejects with `ChangeRejected` if the file
   * cannot be read.
   */
  static async open(path: string): Promise<LineFile> {
    try {
      const handle = await open(path);
      if ((await handle.stat()).isFile()) return new LineFile(handle);
      return await LineFile.copyOf(handle.createReadStream());
    } catch (cause) {
      const reason = errorMessage(cause);
      throw new ChangeRejected(`${path} cannot be read: ${reason} (name a file of lines, or - for standard input)`);
    }
  }

  /**
   * Copies chunks to a temporary file that only this process can open and that vanishes with it, because the chunks can
   * contain tokens.
   */
  static async copyOf(chunks: AsyncIterable<Uint8Array | string>): Promise<LineFile> {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-import-"));
    const handle = await open(join(folder, "lines"), "wx+", 0o600).finally(() => rm(folder, { recursive: true }));
    try {
      for await (const chunk of chunks) await handle.appendFile(chunk);
    } catch (cause) {
      await handle.close();
      throw cause;
    }
    return new LineFile(handle);
  }

  /** SHA-256 of the content, in hexadecimal. */
  async digest(): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of this.#chunks()) hash.update(chunk);
    return hash.digest("hex");
  }

  /** Non-blank lines, in pages. Reading stops at a line that is too long. */
  async *lines(): AsyncGenerator<readonly TextLine[]> {
    let number = 0;
    for await (const texts of this.#texts()) {
      yield texts.map((text) => ({ number: ++number, text })).filter(({ text }) => text !== "");
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }

  async *#texts(): AsyncGenerator<readonly (string | undefined)[]> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of this.#chunks()) {
      const end = chunk.lastIndexOf(lineFeed);
      if (end >= 0) {
        yield textsOf(Buffer.concat([rest, chunk.subarray(0, end)]));
        rest = Buffer.alloc(0);
      }
      rest = Buffer.concat([rest, chunk.subarray(end + 1)]);
      if (rest.length > maxLineBytes) return yield [undefined];
    }
    yield textsOf(rest);
  }

  /** The buffer is reused: each chunk is valid only until the next one is read. */
  async *#chunks(): AsyncGenerator<Buffer> {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let position = 0; ; ) {
      const { bytesRead } = await this.#handle.read(buffer, 0, chunkBytes, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

/** The trimmed lines of a block; `undefined` for one that is not UTF-8. */
const textsOf = (block: Buffer): readonly (string | undefined)[] =>
  isUtf8(block) ? block.toString().split("\n").map(trimmed) : block.toString("latin1").split("\n").map(decoded);

const trimmed = (text: string): string => text.trim();

function decoded(line: string): string | undefined {
  const bytes = Buffer.from(line, "latin1");
  return isUtf8(bytes) ? bytes.toString().trim() : undefined;
}
