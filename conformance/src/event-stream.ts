import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { createParser, type EventSourceMessage } from "eventsource-parser";

/** An open event stream. */
export class EventStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly #request: ClientRequest;
  readonly #timeoutMs: number;
  readonly #events: EventSourceMessage[] = [];
  #arrived = () => {};

  constructor(request: ClientRequest, response: IncomingMessage, timeoutMs: number) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    const parser = createParser({
      onEvent: (event) => {
        this.#events.push(event);
        this.#arrived();
      },
    });
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => parser.feed(chunk));
    // The connection is cut by `close`.
    response.on("error", () => {});
    request.on("error", () => {});
  }

  /** The next event; `undefined` if none arrives in time. */
  async next(): Promise<EventSourceMessage | undefined> {
    if (this.#events.length === 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
        timer = setTimeout(resolve, this.#timeoutMs);
      });
      clearTimeout(timer);
    }
    return this.#events.shift();
  }

  close(): void {
    this.#request.destroy();
  }
}

/** The `type` in the data of an event; `undefined` if the data is not an OFREP payload. */
export function typeOf({ data }: EventSourceMessage): unknown {
  try {
    return (JSON.parse(data) as { type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
}
