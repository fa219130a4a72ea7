import { connect } from "node:net";

/** The response to bytes that no HTTP library would send. */
export type RawAnswer = { readonly status: number; readonly head: string; readonly body: string };

/**
 * Sends bytes unchanged to a port, and reads until the server closes. Status 0 means that it closed without a response.
 */
export function sendRaw(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => {
      const [head = "", ...body] = text.split("\r\n\r\n");
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: body.join("\r\n\r\n") });
    });
    socket.on("error", reject);
  });
}

/** A GET of a target, unchanged, after which the server closes. */
export const rawGet = (url: string, target: string, ...headers: string[]): Promise<RawAnswer> =>
  sendRaw(
    url,
    `${[`GET ${target} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers].join("\r\n")}\r\n\r\n`,
  );
