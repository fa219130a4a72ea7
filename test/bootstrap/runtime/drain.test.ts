import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { TestProcess } from "../../support/process.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-drain-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A busy machine may delay a client for seconds. A client that sends nothing while the service drains would fail. */
const config = join(folder, "tidegate.yaml");
const embedded = readFileSync("config/embedded.yaml", "utf8");
writeFileSync(config, embedded.replace("server: {", "server: { drainMs: 8000,"));

it.concurrent.each([
  ["SIGTERM", "1", "signal", "main.ts"],
  ["SIGINT", "1", "signal", "main.ts"],
  ["SIGTERM", "2", "signal", "main.ts"],
  ["SIGINT", "2", "signalGroup", "cli.ts serve"],
] as const)(
  "drains on %s with %s process(es) (%s, %s): completes accepted requests, is not ready, accepts no more, and exits 0",
  async (signal, workers, send, command) => {
    const data = mkdtempSync(join(folder, "data-"));
    const env = { TIDEGATE_CONFIG: config, TIDEGATE_DATA: data, PORT: "0", WEB_CONCURRENCY: workers };
    await using service = new TestProcess(`src/${command}`.split(" "), env);
    const url = await service.url();
    const statuses: number[] = [];
    let failed = 0;
    let ended = false;
    const load = Array.from({ length: 8 }, async () => {
      while (!ended) {
        try {
          const response = await fetch(`${url}/features`);
          await response.text();
          statuses.push(response.status);
          if (response.headers.get("connection") === "close") return;
        } catch {
          failed += 1;
          return;
        }
      }
    });
    await until(() => statuses.length > 50, "it is under load");
    service[send](signal);
    await until(async () => (await fetch(`${url}/health/ready`)).status === 503, "it is not ready");
    await Promise.all(load);
    ended = true;
    expect(await service.exit()).toBe(0);
    expect(failed).toBe(0);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const file = join(data, "admin-token");
    expect(
      service.stdout
        .replace(/#link=[\w-]+/, "#link=…")
        .trimEnd()
        .split("\n")
        .sort(),
    ).toEqual([
      `Sign in once, within 15 minutes: ${url}/backoffice/#link=…`,
      `The operator credential is in ${file}`,
      `Tidegate serves at ${url}`,
    ]);
    expect(service.stderr.match(/"msg":"stopped"/g)).toHaveLength(Number(workers));
    await expect(fetch(url)).rejects.toThrow();
  },
);
