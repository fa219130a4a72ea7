import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { NotApplicable, Violation } from "./check.ts";
import { EventStream } from "./event-stream.ts";

/** The server under test, and what the checks need to know of it. */
export type Options = {
  /** Base URL; the OFREP paths are appended. */
  readonly url: string;
  /** Credential, sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  /** A context for which at least one flag evaluates differently. */
  readonly otherContext?: Readonly<Record<string, unknown>> | undefined;
  /** Change a flag for `context`, and change it back. */
  readonly change?: (() => Promise<void>) | undefined;
  readonly undo?: (() => Promise<void>) | undefined;
  /** Origin of a web page, for the CORS checks. */
  readonly origin: string;
  /** Maximum number of event streams that a check opens at once. */
  readonly streams: number;
  /** Time limit of a response, of the first event of a stream, and of an event after a change, in milliseconds. */
  readonly timeoutMs: number;
};

/** A response. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};

/** An item of a bulk response, or the response of a single evaluation. */
export type Flag = Readonly<Record<string, unknown>> & { readonly key?: unknown };

/** The body of a bulk response. */
export type Bulk = {
  readonly flags: readonly Flag[];
  readonly eventStreams?: readonly Readonly<Record<string, unknown>>[];
};

type Sent = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

const bulkPath = "/ofrep/v1/evaluate/flags";

/** A key that no server has. */
export const missingKey = "ofrep-conformance-missing";

/** Client of the server under test. Rejects with `Violation` if the server does not respond in time. */
export class Server {
  readonly options: Options;
  /** All responses of the run so far. */
  readonly answers: Answer[] = [];

  constructor(options: Options) {
    this.options = options;
  }

  /** The same server for a client that sends no credential. */
  withoutCredential(): Server {
    return new Server({ ...this.options, token: undefined });
  }

  /** Sends a request with the credential, unless the headers override it. */
  async send(path: string, { method = "POST", headers = {}, body }: Sent = {}): Promise<Answer> {
    const answer = await exchange(new URL(path, `${this.options.url}/`), this.options.timeoutMs, {
      method,
      headers: { ...this.#credential(), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    this.answers.push(answer);
    return answer;
  }

  /** Sends a body to the bulk route. */
  bulk(body: string | Buffer, headers: Readonly<Record<string, string>> = {}, query = ""): Promise<Answer> {
    return this.send(this.#path(bulkPath + query), {
      headers: { "Content-Type": "application/json", ...headers },
      body,
    });
  }

  /** Sends a body to the route of one flag. */
  single(key: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const path = this.#path(`${bulkPath}/${encodeURIComponent(key)}`);
    return this.send(path, { headers: { "Content-Type": "application/json", ...headers }, body });
  }

  /** Path of the bulk route, for requests with another method. */
  get bulkPath(): string {
    return this.#path(bulkPath);
  }

  /** Evaluates all flags for the context. Rejects with `Violation` unless the server returns 200 with flags. */
  async evaluateAll(context = this.options.context): Promise<{ readonly answer: Answer; readonly bulk: Bulk }> {
    const answer = await this.bulk(JSON.stringify({ context }));
    const body = jsonOf(answer) as Partial<Bulk> | null;
    if (answer.status !== 200 || typeof body !== "object" || !Array.isArray(body?.flags)) {
      throw new Violation(`expected 200 with flags, got ${answer.status} ${excerpt(answer.text)}`);
    }
    return { answer, bulk: body as Bulk };
  }

  /** The ETag of the bulk response. Rejects with `NotApplicable` if there is none. */
  async entityTag(): Promise<string> {
    const { answer } = await this.evaluateAll();
    if (answer.headers.etag === undefined) throw new NotApplicable("the bulk response has no ETag");
    return answer.headers.etag;
  }

  /** Absolute URLs of the advertised event streams. Rejects with `NotApplicable` if there is none. */
  async streamUrl(): Promise<URL> {
    const { bulk } = await this.evaluateAll();
    const entry = bulk.eventStreams?.find(({ type }) => type === "sse");
    if (!entry) throw new NotApplicable("the server advertises no event stream");
    const { url, endpoint } = entry as { url?: string; endpoint?: { origin?: string; requestUri: string } };
    return url === undefined
      ? new URL(endpoint?.requestUri ?? "", endpoint?.origin ?? new URL(this.options.url).origin)
      : new URL(url);
  }

  /** Opens an event stream as a browser does: without a credential in a header. */
  openStream(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const request = requestOf(url, { headers: { Accept: "text/event-stream", ...headers } });
      const timer = setTimeout(() => request.destroy(new Error("no response in time")), this.options.timeoutMs);
      request.once("error", (error) => reject(new Violation(`the event stream failed: ${error.message}`)));
      request.once("response", (response: IncomingMessage) => {
        clearTimeout(timer);
        resolve(new EventStream(request, response, this.options.timeoutMs));
      });
      request.end();
    });
  }

  /** Changes a flag for the context. Rejects with `NotApplicable` without the options `change` and `undo`. */
  async changed<T>(whileChanged: () => Promise<T>): Promise<T> {
    const { change, undo } = this.options;
    if (change === undefined || undo === undefined) throw new NotApplicable("needs --change and --undo");
    await change();
    try {
      return await whileChanged();
    } finally {
      await undo();
    }
  }

  #path(path: string): string {
    return new URL(this.options.url).pathname.replace(/\/$/, "") + path;
  }

  #credential(): Readonly<Record<string, string>> {
    return this.options.token === undefined ? {} : { Authorization: `Bearer ${this.options.token}` };
  }
}

/** The JSON of a response; `undefined` if it is not JSON. */
export function jsonOf({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first characters of a body, for messages. */
export const excerpt = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}...` : text);

const requestOf = (url: URL, options: { method?: string; headers: Readonly<Record<string, string>> }): ClientRequest =>
  (url.protocol === "https:" ? httpsRequest : httpRequest)(url, { ...options, agent: false });

/** Sends one request on a connection of its own. A server may respond before it has read the body. */
function exchange(url: URL, timeoutMs: number, { method = "GET", headers = {}, body = "" }: Sent): Promise<Answer> {
  const length = `${Buffer.byteLength(body)}`;
  return new Promise((resolve, reject) => {
    const request = requestOf(url, { method, headers: { ...headers, "Content-Length": length } });
    const timer = setTimeout(() => request.destroy(new Error(`no response in ${timeoutMs} ms`)), timeoutMs);
    let responds = false;
    request.on("error", (error) => {
      clearTimeout(timer);
      if (!responds) reject(new Violation(`${method} ${url.pathname}: ${error.message}`));
    });
    request.once("response", (response: IncomingMessage) => {
      responds = true;
      let text = "";
      const end = () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        request.destroy();
      };
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", end);
      response.on("end", end);
    });
    request.end(body);
  });
}
