import type { Socket } from "node:net";

/** A stream is cut if its reader takes nothing for this many heartbeats. */
const maxMissedBeats = 2;
const heartbeat = Buffer.from(":\n\n");
/** Longest wait for the reader of a stream that ends, in milliseconds. */
const endingMs = 5_000;
const ignore = () => {};

/**
 * Server-Sent Events on one connection, until it closes. While the reader has unread data, only the latest frame waits.
 * Frames are shared with other streams.
 */
export class ClientStream {
  readonly #socket: Socket;
  #isWriting = false;
  #next: Buffer | undefined;
  #missed = 0;

  /** The head of the response was sent on the connection. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // A lost connection is closed anyway. Reads and ignores further input, to notice that the client has ended.
    socket.on("error", ignore).resume();
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
      this.#socket.destroy();
      return false;
    }
    return true;
  }

  /** Sends the frame that waits, if any, and closes the connection. */
  end(): void {
    const socket = this.#socket;
    socket.setTimeout(endingMs, () => socket.destroy()).unref();
    if (this.#next) socket.write(this.#next);
    this.#next = undefined;
    socket.end();
  }

  #write(frame: Buffer): void {
    this.#isWriting = true;
    this.#socket.write(frame, this.#written);
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
