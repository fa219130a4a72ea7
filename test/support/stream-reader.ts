import { waitAtMost } from "../../src/application/async/deadline.ts";

/** Reads a stream of Server-Sent Events as it arrives. */
export class StreamReader implements AsyncDisposable {
  readonly response: Response;
  readonly messages: { readonly id: string; readonly data: string }[] = [];
  /** The id of the last event that had one. */
  lastId = "";
  comments = 0;
  retry = 0;
  /** How it ended; `undefined` while it is open. */
  end: "whole" | "cut" | undefined;
  readonly #abort: AbortController;
  readonly #reading: Promise<void>;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#reading = this.#read();
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamReader> {
    const abort = new AbortController();
    return new StreamReader(await fetch(url, { headers, signal: abort.signal }), abort);
  }

  async #read(): Promise<void> {
    let rest = "";
    try {
      for await (const text of this.response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const parts = `${rest}${text}`.split("\n\n");
        rest = parts.pop() ?? "";
        for (const part of parts) this.#take(part);
      }
      this.end = "whole";
    } catch {
      this.end = "cut";
    }
  }

  #take(part: string): void {
    if (part.startsWith(":")) this.comments += 1;
    const fields = new Map(part.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]));
    this.retry = Number(fields.get("retry") ?? this.retry);
    this.lastId = fields.get("id") ?? this.lastId;
    const data = fields.get("data");
    if (data !== undefined) this.messages.push({ id: this.lastId, data });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await waitAtMost(5_000, this.#reading);
  }
}
