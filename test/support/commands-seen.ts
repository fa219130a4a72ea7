import { once } from "node:events";
import { connect } from "node:net";
import { until } from "./until.ts";

/**
 * Every command that a Redis server is sent from now on, with its arguments. It reads MONITOR itself: ioredis may take the first
 * line that it tells for the answer to a command of its own.
 */
export async function commandsSeen(port: number): Promise<Disposable & { readonly seen: readonly string[][] }> {
  const seen: string[][] = [];
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let [text, isWatching] = ["", false];
  socket.setEncoding("latin1").on("data", (chunk) => {
    const lines = (text + chunk).split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "+OK") isWatching = true;
      else seen.push([...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, quoted = ""]) => unquoted(quoted)));
    }
  });
  socket.write("MONITOR\r\n");
  await until(() => isWatching, "commands are watched");
  return { seen, [Symbol.dispose]: () => socket.destroy() };
}

const unquoted = (text: string): string => {
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, code?: string, character = "") =>
    code === undefined ? character : String.fromCharCode(Number.parseInt(code, 16)),
  );
  return Buffer.from(bytes, "latin1").toString();
};
