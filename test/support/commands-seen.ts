import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import type { Redis } from "ioredis";
import { until } from "./until.ts";

type Commands = readonly string[][];

/** The commands that a Redis server receives. */
type CommandsSeen = Disposable & {
  /** The commands that the server receives while `calls` are made. */
  readonly during: (calls: () => Promise<void>) => Promise<Commands>;
};

/**
 * Watches the commands that a Redis server receives, with their arguments. It reads MONITOR itself: ioredis may take its first line
 * for the reply to a command of its own.
 */
export async function commandsSeen({ port, client }: { port: number; client: Redis }): Promise<CommandsSeen> {
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
  return {
    during: async (calls) => {
      const start = seen.length;
      await calls();
      const end = randomUUID();
      await client.echo(end);
      await until(() => seen.some(([, text]) => text === end), "the last command is seen");
      return seen.slice(start);
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/**
 * Makes calls until they are answered from the cache. A service is ready before its invalidation feeds are live, and the
 * invalidation of a change may arrive after a response with that change.
 */
export async function cached(commands: CommandsSeen, calls: () => Promise<void>): Promise<void> {
  const areCached = async () => readsIn(await commands.during(calls)).length === 0;
  await until(areCached, "calls are answered from the cache");
}

/** The keys of stores in these commands, without those of the outbox relay. */
export const readsIn = (commands: Commands): readonly string[] =>
  commands.flatMap(([name = "", key = ""]) =>
    /^(get|srandmember|pttl|exists)$/i.test(name) && (!key.startsWith("tidegate:") || key === "tidegate:killed")
      ? [key]
      : [],
  );

const unquoted = (text: string): string => {
  const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, code?: string, character = "") =>
    code === undefined ? character : String.fromCharCode(Number.parseInt(code, 16)),
  );
  return Buffer.from(bytes, "latin1").toString();
};
