import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

type Report = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: unknown };

/** The client API of an Unleash server, on the loopback address. */
export type UnleashServer = AsyncDisposable & {
  readonly url: string;
  /** The reports so far. */
  readonly reports: readonly Report[];
  /** The response of `/api/client/features`. */
  document: string;
  /** Whether it closes connections without a response. */
  isDown: boolean;
};

export async function startUnleashServer(document: string): Promise<UnleashServer> {
  const reports: Report[] = [];
  const state = { document, isDown: false };
  const server = createServer(async (request, response) => {
    const { url: path = "", headers } = request;
    if (state.isDown) return void request.socket.destroy();
    if (request.method === "POST") {
      reports.push({ path, headers, body: await json(request) });
      response.writeHead(202).end();
    } else response.writeHead(200, { "Content-Type": "application/json" }).end(state.document);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    reports,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
