import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of one document, on the loopback address, with a response that the test sets. */
export type DocumentServer = AsyncDisposable & {
  readonly url: string;
  /** The headers of each request so far, and its target. */
  readonly requests: readonly (IncomingHttpHeaders & { readonly target: string })[];
  /** Its response from now on. */
  answer: (response: ServerResponse, headers: IncomingHttpHeaders) => void;
};

/** Responds with a text, or with 304 if the ETag matches. */
export const respondWith =
  (text: string, tag?: string): DocumentServer["answer"] =>
  (response, headers) => {
    const isKnown = tag !== undefined && headers["if-none-match"] === tag;
    response.writeHead(isKnown ? 304 : 200, tag === undefined ? {} : { ETag: tag }).end(isKnown ? undefined : text);
  };

/** Responds with a status. */
export const respondWithStatus =
  (status: number): DocumentServer["answer"] =>
  (response) =>
    void response.writeHead(status).end("no document");

export async function startDocumentServer(answer: DocumentServer["answer"]): Promise<DocumentServer> {
  const requests: (IncomingHttpHeaders & { target: string })[] = [];
  const started: { answer: DocumentServer["answer"] } = { answer };
  const server = createServer((request, response) => {
    requests.push({ ...request.headers, target: request.url ?? "" });
    started.answer(response, request.headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(started, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
