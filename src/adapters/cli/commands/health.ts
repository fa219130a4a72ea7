import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { Command } from "commander";
import { OperationFailed } from "../../../infrastructure/operation-failed.ts";
import type { CheckedConfig, CommandContext } from "../command-context.ts";
import { withJson } from "../json-help.ts";

const patienceMs = 3_000;

/**
 * `tidegate health`: calls the health check of the service with this configuration on this machine. Exits 1 if the
 * service does not respond within 3 s, or responds with an error.
 */
export const define = (command: Command, { loadConfig, results }: CommandContext): void =>
  void withJson(command, { url: "http://127.0.0.1:5000/health/live", status: "live" })
    .option("--ready", "check also that it can serve clients")
    .action(async ({ ready }: { ready?: true }) => {
      const url = `${originOf((await loadConfig()).server)}/health/${ready ? "ready" : "live"}`;
      const { code, status } = await statusAt(url).catch((cause: Error) => {
        throw new OperationFailed(
          `${url} does not respond: ${cause.message}; start the service, or set PORT to its port`,
        );
      });
      if (code !== 200) throw new OperationFailed(`${url} responds ${code}: ${status}; read the log of the service`);
      results.print({ url, status }, status);
    });

/** An address on which a server listens on all addresses cannot be called. */
function originOf({ host, port, basePath }: CheckedConfig["server"]): string {
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}${basePath}`;
}

/** Not by `fetch`, which refuses some ports. */
async function statusAt(url: string): Promise<{ code: number; status: string }> {
  const [response] = (await once(get(url, { signal: AbortSignal.timeout(patienceMs) }), "response")) as [
    IncomingMessage,
  ];
  const body = (await json(response)) as { status?: string };
  return { code: response.statusCode ?? 0, status: body.status ?? "no status" };
}
