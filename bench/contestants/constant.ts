import { resolve } from "node:path";
import { bearer, Client } from "../client.ts";
import { tokenOf } from "../data.ts";
import { startServer } from "../process.ts";
import type { Contestant } from "./contestant.ts";

/** A constant response. */
export type Constant = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

const addedByNode = ["date", "connection", "keep-alive"];

/** The response of a server to a user with 15 features, without the headers that Node adds. */
export async function constantOf(url: string): Promise<Constant> {
  using client = new Client();
  const { headers, body } = await client.ask(url, bearer(tokenOf(5)));
  const own = Object.entries(headers).filter(([name]) => !addedByNode.includes(name));
  return { headers: Object.fromEntries(own) as Constant["headers"], body };
}

/** Starts `bare.ts` or `hono.ts`, which return a constant. */
export async function constantContestant(
  opened: AsyncDisposableStack,
  name: string,
  file: "bare.ts" | "hono.ts",
  constant: Constant,
  script: string,
  processors?: string,
): Promise<Contestant> {
  const command = [process.execPath, resolve(import.meta.dirname, "servers", file)];
  const server = await startServer(opened, command, {
    path: "/features",
    env: { HEADERS: JSON.stringify(constant.headers), BODY: constant.body },
    ...(processors === undefined ? {} : { processors }),
  });
  return {
    name,
    server,
    script,
    check: async () => {
      const answer = await constantOf(server.url);
      if (JSON.stringify(answer) !== JSON.stringify(constant)) {
        throw new Error(`${name} answers ${JSON.stringify(answer)}, not ${JSON.stringify(constant)}`);
      }
    },
  };
}
