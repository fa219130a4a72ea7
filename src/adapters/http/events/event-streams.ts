import { HttpProblem } from "../problems/http-problem.ts";
import { streamHeaders } from "../response-headers.ts";

/** Delay before a client reconnects after its stream has ended, in milliseconds. */
const retryMs = 2_000;
/** A stream is closed if its reader takes nothing for this many heartbeats in a row. */
const maxMissedBeats = 2;

/** Messages of a stream, as Server-Sent Events. The next one is requested once the reader has taken the one before. */
type Messages = (until: AbortSignal) => AsyncIterator<string>;

/** The open event streams of a process. Sends a heartbeat on each stream whose reader keeps up. */
export class EventStreams {
  readonly #max: number;
  readonly #beatMs: number;
  /** Functions that end the open streams. */
  readonly #open = new Set<() => void>();

  get size(): number {
    return this.#open.size;
  }
  #isClosed = false;

  constructor(max = 100, beatMs = 15_000) {
    this.#max = max;
    this.#beatMs = beatMs;
  }

  /** Responds with a stream. Throws `HttpProblem` `too-many-streams` if the limit is reached. */
  respond(messages: Messages): Response {
    if (this.#open.size >= this.#max) {
      const detail = `${this.#max} streams are open in this process. Close one, or retry later.`;
      throw new HttpProblem("too-many-streams", detail, { "Retry-After": "5" });
    }
    return new Response(this.#stream(messages), { headers: streamHeaders });
  }

  /** Ends all streams, and each later one at once, so that clients reconnect to another process. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#open) end();
  }

  #stream(messages: Messages): ReadableStream<Uint8Array> {
    const ending = new AbortController();
    const iterator = messages(ending.signal);
    let missed = 0;
    let release = () => {};
    let end = () => {};
    return new ReadableStream({
      start: (controller) => {
        const beat = setInterval(() => {
          if (controller.desiredSize !== null && controller.desiredSize > 0) {
            missed = 0;
            controller.enqueue(Buffer.from(":\n\n"));
          } else if (++missed === maxMissedBeats) {
            release();
            controller.error(new Error(`stream closed: its reader read nothing for ${missed} heartbeats`));
          }
        }, this.#beatMs);
        end = () => {
          release();
          controller.close();
        };
        release = () => {
          clearInterval(beat);
          this.#open.delete(end);
          ending.abort();
        };
        this.#open.add(end);
        controller.enqueue(Buffer.from(`retry: ${retryMs}\n\n`));
        if (this.#isClosed) end();
      },
      pull: async (controller) => {
        missed = 0;
        const { done, value } = await iterator.next();
        if (ending.signal.aborted) return;
        if (done) end();
        else controller.enqueue(Buffer.from(value));
      },
      cancel: () => release(),
    });
  }
}
