import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { kinds } from "../../../src/adapters/sources/_catalogue/source-catalogue.ts";
import { TestProcess } from "../../support/process.ts";
import { rawGet } from "../../support/raw-http.ts";
import { basic, bearer, startServiceOn } from "../../support/service.ts";
import { tidegate } from "../../support/tidegate.ts";
import { until } from "../../support/until.ts";

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-process-"));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const ask = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(`${url}/features`, { headers })).text();

/** Waits for an answer after a change by another process, which the service sees when it next looks at the file. */
const expectSoon = (url: string, expected: string, headers?: Record<string, string>) =>
  vi.waitFor(async () => expect(await ask(url, headers)).toBe(expected), 60_000);

describe("the embedded default", () => {
  const expectCredential = async (url: string, token: string) => {
    for (const [presented, status] of [
      [token, 200],
      [`${token}x`, 401],
    ] as const) {
      expect((await fetch(`${url}/metrics`, { headers: bearer(presented) })).status).toBe(status);
    }
  };

  it("serves the README's example, and keeps it and the operators' credential over a restart", async () => {
    const env = { TIDEGATE_DATA: join(newFolder(), "data"), PORT: "0" };
    const credential = join(env.TIDEGATE_DATA, "admin-token");
    {
      await using service = new TestProcess(["src/main.ts"], {
        ...env,
        NODE_OPTIONS: "--max-http-header-size=65536",
      });
      const url = await service.url();
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(await ask(url)).toBe('{"active_features":[]}');
      expect((await tidegate(["tokens", "add", "--user", "1"], env, "1234\n")).stdout).toBe("token added for user 1\n");
      await tidegate(["sets", "add", "global_features", "feature_1", "feature_2"], env);
      await tidegate(["sets", "add", "active_features", "feature_3"], env);
      await tidegate(["sets", "add", "features:user:1", "feature_3", "feature_4"], env);
      await expectSoon(url, '{"active_features":["feature_1","feature_2"]}');
      await expectSoon(url, '{"active_features":["feature_1","feature_2","feature_3"]}', basic("1234"));

      const token = readFileSync(credential, "utf8").trim();
      expect(service.stdout).toContain(`The operator credential is in ${credential}\n`);
      expect(service.stdout + service.stderr).not.toContain(token);
      await expectCredential(url, token);

      // The limit of 16 KiB holds regardless of Node's options.
      expect((await rawGet(url, "/features", `Authorization: Bearer ${"x".repeat(20_000)}`)).status).toBe(431);
      expect((await rawGet(url, "/health/live")).status).toBe(200);
      service.signal("SIGTERM");
      expect(await service.exit()).toBe(0);
    }
    await using service = new TestProcess(["src/main.ts"], env);
    const url = await service.url();
    expect(await ask(url, basic("1234"))).toBe('{"active_features":["feature_1","feature_2","feature_3"]}');
    const token = readFileSync(credential, "utf8").trim();
    expect(service.stdout).not.toContain("credential");
    expect(service.stderr).not.toContain(token);
    await expectCredential(url, token);
    for (const secret of ["token-pepper", "admin-token"]) {
      expect(statSync(join(env.TIDEGATE_DATA, secret)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(join(env.TIDEGATE_DATA, "tidegate.db"), "latin1")).not.toContain("1234");
  });

  it("creates no operator credential if the environment has one", async () => {
    const [token, folder] = ["the-environment's-credential", newFolder()];
    const given = { TIDEGATE_DATA: folder, TIDEGATE_ADMIN_TOKEN: token };
    await using service = await startServiceOn("config/embedded.yaml", given);
    await expectCredential(service.url, token);
    expect(existsSync(join(folder, "admin-token"))).toBe(false);
  });
});

describe("the service as a process", () => {
  it("exits 78 and lists the faults of its configuration", async () => {
    await using service = new TestProcess(["src/cli.ts", "--config", "test/broken/many-mistakes.yaml", "serve"], {});
    expect([await service.exit(), service.stdout]).toEqual([78, ""]);
    const mistakes = readFileSync("test/broken/many-mistakes.txt", "utf8").replaceAll("KINDS", kinds.join(", "));
    expect(service.stderr).toBe(`tidegate: ${mistakes}`);
  });

  it("names the other Redis URL if only one is set", async () => {
    await using service = new TestProcess(["src/main.ts"], { REDIS_USERS_URL: "redis://127.0.0.1:6379" });
    expect(await service.exit()).toBe(78);
    expect(service.stderr).toContain("environment variable REDIS_FEATURES_URL is not set");
  });

  it.each([undefined, "2"])("exits 78 with a message if its port is in use (workers: %s)", async (workers) => {
    const other = createServer().listen(0, "127.0.0.1");
    await until(() => other.listening, "another server listens");
    const { port } = other.address() as { port: number };
    const env = { TIDEGATE_DATA: newFolder(), PORT: `${port}`, ...(workers && { WEB_CONCURRENCY: workers }) };
    await using service = new TestProcess(["src/main.ts"], env);
    expect(await service.exit()).toBe(78);
    expect(service.stderr).toMatch(/tidegate: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*; set PORT or HOST/);
    other.close();
  });

  it.each([
    ["an address of another machine", "192.0.2.1", /EADDRNOTAVAIL/],
    ["an unknown name", "name.invalid", /ENOTFOUND|EAI_AGAIN/],
  ])("exits 78 with a message if HOST is %s", async (_, host, fault) => {
    await using service = new TestProcess(["src/main.ts"], { HOST: host, PORT: "0" });
    expect(await service.exit()).toBe(78);
    expect(service.stderr).toMatch(/^tidegate: cannot listen on .*; set PORT or HOST, or stop what is there$/m);
    expect(service.stderr).toMatch(fault);
  });
});
