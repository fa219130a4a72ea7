import { once } from "node:events";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as encrypted } from "node:https";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Validators } from "../../../domain/feeds/item.ts";
import { request as plain } from "../../node-http.ts";
import { hostOf, type Reachable } from "./reachable.ts";

/** Where a document is, and the limits of its fetch. */
export type DocumentLocation = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly reachable: Reachable;
  /** Time limit from the host lookup to the last byte, in milliseconds. */
  readonly timeoutMs: number;
  /** Maximum size in bytes, decompressed. */
  readonly maxBytes: number;
};

/** A fetched document. */
export type Fetched = {
  readonly chunks: readonly Uint8Array[];
  readonly contentType: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
};

/**
 * A document could not be fetched. The message contains only the host of the URL, because the rest can contain a
 * secret.
 */
export class FetchFailed extends Error {
  override readonly name = "FetchFailed";
  /** Whether a retry can succeed. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.mayPass = mayPass;
  }
}

const maxHeaderBytes = 16_384;
const maxValidatorLength = 1_000;
const chunkBytes = 65_536;

/**
 * Fetches a document; `undefined` if it is not modified. Follows no redirect. Rejects with `FetchFailed`, and with the
 * signal's reason if it aborts.
 */
export async function fetchDocument(
  location: DocumentLocation,
  validators: Validators | null,
  signal: AbortSignal,
): Promise<Fetched | undefined> {
  const host = hostOf(location.url);
  const late = AbortSignal.timeout(location.timeoutMs);
  try {
    return await requestDocument(location, validators, AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) throw new FetchFailed(`${host} did not respond within ${location.timeoutMs} ms`, true);
    if (error instanceof FetchFailed) throw error;
    throw new FetchFailed(`${host} cannot be reached: ${causeOf(error)}`, true);
  }
}

async function requestDocument(
  location: DocumentLocation,
  validators: Validators | null,
  signal: AbortSignal,
): Promise<Fetched | undefined> {
  const { url, reachable, maxBytes } = location;
  const host = hostOf(url);
  const fault = reachable.faultOf(url);
  if (fault) throw new FetchFailed(`the URL ${fault}`, false);
  const options: RequestOptions = {
    headers: headersOf(location, validators),
    agent: false,
    maxHeaderSize: maxHeaderBytes,
    signal,
    // An IP address needs no lookup; it is already checked.
    ...(isIP(host) === 0 && { lookup: reachable.lookup }),
  };
  const request = (url.protocol === "https:" ? encrypted : plain)(url, options).end();
  // Prevents an unhandled error if the request aborts before it is awaited.
  request.on("error", () => {});
  try {
    const [response] = (await once(request, "response", { signal })) as [IncomingMessage];
    const { statusCode = 0, headers } = response;
    if (statusCode === 304 && validators) return undefined;
    demandDocument(host, statusCode);
    return {
      chunks: await bodyOf(response, host, maxBytes, signal),
      contentType: headers["content-type"] ?? "",
      etag: validator(headers.etag),
      lastModified: validator(headers["last-modified"]),
    };
  } finally {
    request.destroy();
  }
}

const headersOf = ({ headers }: DocumentLocation, validators: Validators | null) => ({
  Accept: "application/json, application/xml, text/xml",
  "User-Agent": "tidegate",
  ...headers,
  "Accept-Encoding": "gzip",
  ...(validators?.etag && { "If-None-Match": validators.etag }),
  ...(validators?.lastModified && { "If-Modified-Since": validators.lastModified }),
});

function demandDocument(host: string, status: number): void {
  if (status === 200) return;
  if (status >= 300 && status < 400) {
    throw new FetchFailed(`${host} responds ${status}, and redirects are not followed; set the final URL`, false);
  }
  throw new FetchFailed(`${host} responds ${status}`, status >= 500 || status === 408 || status === 429);
}

async function bodyOf(
  response: IncomingMessage,
  host: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip" && encoding !== "x-gzip") {
    throw new FetchFailed(`${host} sends a Content-Encoding that was not requested`, false);
  }
  const body: Readable = encoding === "identity" ? response : createGunzip({ chunkSize: chunkBytes });
  if (body !== response) {
    response.once("error", (error) => body.destroy(error));
    response.pipe(body as ReturnType<typeof createGunzip>);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const end = () => body.destroy();
  signal.addEventListener("abort", end, { once: true });
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new FetchFailed(`the document of ${host} has more than ${maxBytes} bytes`, false);
      // A copy with its own buffer can be transferred to another thread.
      chunks.push(new Uint8Array(chunk));
    }
  } finally {
    signal.removeEventListener("abort", end);
    body.destroy();
  }
  signal.throwIfAborted();
  return chunks;
}

const validator = (header: string | undefined): string | null =>
  header !== undefined && header.length <= maxValidatorLength ? header : null;

/** The cause of a connection failure, without any data sent or received. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(causeOf))].join(", ");
  if (!(error instanceof Error)) return "unknown cause";
  const code = "code" in error ? String(error.code) : undefined;
  if (code === "HPE_HEADER_OVERFLOW") return `its headers have more than ${maxHeaderBytes} bytes`;
  if (error.message === "aborted") return "the connection was closed before the end";
  return code ?? error.message;
}
