import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startServiceOn } from "../../../support/service.ts";
import { tidegate } from "../../../support/tidegate.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-health-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "tidegate.yaml");

/** Runs the health check with a configuration. */
async function check(yaml: string, ...options: string[]) {
  writeFileSync(file, yaml);
  await using service = await startServiceOn(file, { TIDEGATE_DATA: folder });
  return await tidegate(["--config", file, "health", ...options], {
    PORT: new URL(service.url).port,
    TIDEGATE_DATA: folder,
  });
}

const fixed = "sources: [{ name: fixed, kind: static, features: { feature_1: true } }]";
const away = `connections: { features: { kind: redis, url: "redis://127.0.0.1:1/0" } }
sources: [{ name: fixed, kind: set, connection: features, key: global }]`;

describe("tidegate health", () => {
  it.each(["127.0.0.1", "0.0.0.0"])("prints the status of a service that listens on %s", async (host) => {
    const yaml = `${fixed}\nserver: { host: ${host}, basePath: /flags }`;
    expect(await check(yaml)).toMatchObject({ code: 0, stdout: "live\n", stderr: "" });
    expect(await check(yaml, "--ready")).toMatchObject({ code: 0, stdout: "ready\n" });
  });

  it("exits 1 with --ready if the service cannot serve clients", async () => {
    expect(await check(away)).toMatchObject({ code: 0, stdout: "live\n" });
    const { code, stderr } = await check(away, "--ready");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^tidegate: .* responds 503: not ready; read the log/)]);
  });

  it("exits 1 if nothing responds", async () => {
    const { code, stderr } = await tidegate(["health"], { PORT: "1" });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/:1\/health\/live does not respond: .*; start the/)]);
  });
});
