import type { ServerResponse } from "node:http";

/** A stream is cut if its reader takes nothing for this many heartbeats. */
const maxMissedBeats = 2;
const heartbeat = Buffer.from(":\n\n");

/**
 * Server-Sent Events on one response. While the reader has unread data, only the latest frame waits. Frames are shared
 * with other streams.
 */
export class ClientStream {
  readonly #outgoing: ServerResponse;
  #isWriting = false;
  #next: Buffer | undefined;
  #missed = 0;

  /** Sends the head of the response. */
  constructor(outgoing: ServerResponse, headers: Readonly<Record<string, string>>) {
    this.#outgoing = outgoing;
    outgoing.writeHead(200, headers);
  }

  /** Sends a frame. It replaces a frame that waits. */
  send(frame: Buffer): void {
    if (this.#isWriting) this.#next = frame;
    else this.#write(frame);
  }

  /** Sends a comment. Returns `false` if the stream was cut, because its reader does not read. */
  beat(): boolean {
    if (!this.#isWriting) this.#write(heartbeat);
    else if (++this.#missed === maxMissedBeats) {
      this.#outgoing.destroy();
      return false;
    }
    return true;
  }

  /** Sends the frame that waits, if any, and ends the response. */
  end(): void {
    this.#outgoing.end(this.#next);
    this.#next = undefined;
  }

  #write(frame: Buffer): void {
    this.#isWriting = true;
    this.#outgoing.write(frame, this.#written);
  }

  #written = (error?: Error | null): void => {
    if (error) return;
    this.#isWriting = false;
    this.#missed = 0;
    const next = this.#next;
    if (!next) return;
    this.#next = undefined;
    this.#write(next);
  };
}
