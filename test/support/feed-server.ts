import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A feed's server on the loopback address, with responses that the test sets and a list of its requests. */
export type FeedServer = AsyncDisposable & {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  answer: RequestListener;
};

export async function startFeedServer(answer: RequestListener): Promise<FeedServer> {
  const requests: IncomingMessage[] = [];
  const feedServer = { answer };
  const server = createServer((request, response) => {
    requests.push(request);
    feedServer.answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(feedServer, {
    url: `http://127.0.0.1:${port}/events`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  });
}

/** Responds with a document. */
export const document =
  (body: string | Uint8Array, contentType: string, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(200, { "Content-Type": contentType, ...headers }).end(body);

export const json = (value: unknown): RequestListener => document(JSON.stringify(value), "application/json");
