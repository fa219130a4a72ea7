import { HttpProblem, securityHeaders } from "../kit/problem.ts";

/** After how long a client asks again when its stream has ended. */
const retryMs = 2_000;
/** After so many beats a reader who took nothing is cut off. */
const mostBeatsMissed = 2;

/** The headers of a stream; the last keeps proxies from collecting it. */
export const streamHeaders = {
  ...securityHeaders,
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
} as const;

/** What a stream tells, written as Server-Sent Events. The next is asked for when the one before was taken. */
type Messages = (until: AbortSignal) => AsyncIterator<string>;

/** The streams that a process keeps open, each with a sign of life in every beat in which nothing else was told. */
export class EventStreams {
  readonly #most: number;
  readonly #beatMs: number;
  /** How each that is open is ended. */
  readonly #open = new Set<() => void>();
  #isClosed = false;

  constructor(most = 100, beatMs = 15_000) {
    this.#most = most;
    this.#beatMs = beatMs;
  }

  /** Answers with a stream. Throws `HttpProblem` `too-many-streams` where there are as many as may be. */
  respond(messages: Messages): Response {
    if (this.#open.size >= this.#most) {
      const detail = `${this.#most} streams are open in this process; close one, or ask again later.`;
      throw new HttpProblem("too-many-streams", detail, { "Retry-After": "5" });
    }
    return new Response(this.#stream(messages), { headers: streamHeaders });
  }

  /** Ends all streams, and those that are asked for later at once: their readers find another process. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#open) end();
  }

  #stream(messages: Messages): ReadableStream<Uint8Array> {
    const ending = new AbortController();
    const told = messages(ending.signal);
    let missed = 0;
    let release = () => {};
    let end = () => {};
    return new ReadableStream({
      start: (controller) => {
        const beat = setInterval(() => {
          if (controller.desiredSize !== null && controller.desiredSize > 0) {
            controller.enqueue(Buffer.from(":\n\n"));
          } else if (++missed === mostBeatsMissed) {
            release();
            controller.error(new Error(`a stream was cut off: its reader took nothing for ${missed} beats`));
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
        const { done, value } = await told.next();
        if (ending.signal.aborted) return;
        if (done) end();
        else controller.enqueue(Buffer.from(value));
      },
      cancel: () => release(),
    });
  }
}
