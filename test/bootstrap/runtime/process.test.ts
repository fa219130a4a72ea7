import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { kinds } from "../../../src/adapters/sources/_catalogue/source-catalogue.ts";
import { TestProcess } from "../../support/process.ts";
import { rawGet, sendRaw } from "../../support/raw-http.ts";
import { startRedis } from "../../support/redis.ts";
import { basic, bearer, startServiceOn } from "../../support/service.ts";
import { tidegate } from "../../support/tidegate.ts";
import { unlikelyTokens } from "../../support/unlikely.ts";
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

describe("the embedded default", () => {
  const env = { TIDEGATE_DATA: join(newFolder(), "data"), PORT: "0" };
  const credential = join(env.TIDEGATE_DATA, "admin-token");
  const expectCredential = async (url: string, token: string) => {
    for (const [presented, status] of [
      [token, 200],
      [`${token}x`, 401],
    ] as const) {
      expect((await fetch(`${url}/metrics`, { headers: bearer(presented) })).status).toBe(status);
    }
  };

  it("serves the example of the README, and keeps it and the operators' credential over a restart", async () => {
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
      expect(await ask(url)).toBe('{"active_features":["feature_1","feature_2"]}');
      expect(await ask(url, basic("1234"))).toBe('{"active_features":["feature_1","feature_2","feature_3"]}');

      const token = readFileSync(credential, "utf8").trim();
      expect(service.stdout).toContain(`The operator credential is in ${credential}\n`);
      expect(service.stdout + service.stderr).not.toContain(token);
      await expectCredential(url, token);

      // The limit of 16 KiB holds, whatever Node is told.
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

  it("makes no credential for operators where the environment has one", async () => {
    const [token, folder] = ["the-environment's-credential", newFolder()];
    const given = { TIDEGATE_DATA: folder, TIDEGATE_ADMIN_TOKEN: token };
    await using service = await startServiceOn("config/embedded.yaml", given);
    await expectCredential(service.url, token);
    expect(existsSync(join(folder, "admin-token"))).toBe(false);
  });
});

describe("the service as a process", () => {
  it.each([
    ["SIGTERM", "1", "signal", "main.ts"],
    ["SIGINT", "1", "signal", "main.ts"],
    ["SIGTERM", "2", "signal", "main.ts"],
    ["SIGINT", "2", "signalGroup", "cli.ts serve"],
  ] as const)(
    "drains on %s with %s process(es) (%s, %s): it answers what it took, is not ready, takes no more, and exits 0",
    async (signal, workers, send, command) => {
      const env = { TIDEGATE_DATA: newFolder(), PORT: "0", WEB_CONCURRENCY: workers };
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
      const file = join(env.TIDEGATE_DATA, "admin-token");
      expect(service.stdout).toBe(`The operator credential is in ${file}\nTidegate serves at ${url}\n`);
      expect(service.stderr.match(/"msg":"stopped"/g)).toHaveLength(Number(workers));
      await expect(fetch(url)).rejects.toThrow();
    },
  );

  it("serves with several workers as with one: replaces those that die, counts for all, and stops them all", async () => {
    const admin = "the-operators-credential";
    await using service = new TestProcess(["src/main.ts"], {
      TIDEGATE_DATA: newFolder(),
      TIDEGATE_ADMIN_TOKEN: admin,
      PORT: "0",
      WEB_CONCURRENCY: "2",
    });
    const url = await service.url();
    const workers = () => [...service.stderr.matchAll(/"pid":(\d+).*"msg":"started"/g)].map(([, pid]) => Number(pid));
    expect(new Set(workers()).size).toBe(2);
    // A connection of its own each, so that the workers take turns; the one to a worker that hangs is given up.
    const get = (path: string) =>
      fetch(url + path, {
        headers: { ...bearer(admin), connection: "close" },
        signal: AbortSignal.timeout(5_000),
      }).then((answer) => answer.text());
    const figures = async () => {
      const text = await get("/metrics").catch(() => get("/metrics"));
      const figure = (line: RegExp) => Number(line.exec(text)?.[1]);
      return [
        figure(/tidegate_workers (\d+)/),
        figure(/tidegate_http_requests_total\{route="\/health",method="GET",status="200"\} (\d+)/),
      ];
    };
    for (let count = 0; count < 20; count++) await get("/health");
    await until(async () => (await figures())[1] === 20, "all calls are counted");
    const views = await Promise.all(Array.from({ length: 6 }, () => get("/admin/v1/cache?key=global_features")));
    expect(new Set(views.map((view) => JSON.parse(view).pid))).toEqual(new Set(workers()));
    expect(await figures()).toEqual([2, 20]);

    const [victim = 0, other = 0] = workers();
    process.kill(victim, "SIGKILL");
    await until(() => workers().length === 3, "another worker has started");
    await until(async () => (await figures())[0] === 2, "it tells of itself");
    expect(await figures()).toEqual([2, 20]);
    await get("/health");
    await until(async () => (await figures())[1] === 21, "the call after that is counted");

    process.kill(other, "SIGSTOP");
    expect(await figures()).toEqual([1, 21]);
    process.kill(other, "SIGCONT");
    await until(async () => (await figures())[0] === 2, "it tells of itself again");
    expect(await figures()).toEqual([2, 21]);

    expect(await ask(url)).toBe('{"active_features":[]}');
    service.signalGroup("SIGTERM");
    expect(await service.exit()).toBe(0);
    expect(service.stderr.match(/"msg":"stopped"/g)).toHaveLength(2);
    for (const pid of workers()) expect(() => process.kill(pid, 0)).toThrow();
  });

  it("exits 78 and lists what is wrong with its configuration", async () => {
    await using service = new TestProcess(["src/cli.ts", "--config", "test/broken/many-mistakes.yaml", "serve"], {});
    expect([await service.exit(), service.stdout]).toEqual([78, ""]);
    const mistakes = readFileSync("test/broken/many-mistakes.txt", "utf8").replaceAll("KINDS", kinds.join(", "));
    expect(service.stderr).toBe(`tidegate: ${mistakes}`);
  });

  it("asks for the other Redis URL where only one is given", async () => {
    await using service = new TestProcess(["src/main.ts"], { REDIS_USERS_URL: "redis://127.0.0.1:6379" });
    expect(await service.exit()).toBe(78);
    expect(service.stderr).toContain("environment variable REDIS_FEATURES_URL is not set");
  });

  it.each([undefined, "2"])("exits 1 and says so when its port is taken (workers: %s)", async (workers) => {
    const other = createServer().listen(0, "127.0.0.1");
    await until(() => other.listening, "another server listens");
    const { port } = other.address() as { port: number };
    const env = { TIDEGATE_DATA: newFolder(), PORT: `${port}`, ...(workers && { WEB_CONCURRENCY: workers }) };
    await using service = new TestProcess(["src/main.ts"], env);
    expect(await service.exit()).toBe(1);
    expect(service.stderr).toMatch(/tidegate: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*; set PORT or HOST/);
    other.close();
  });
});

describe("what the service writes", () => {
  const canary = "canary-t0ken-8c41";

  it("never holds a token, known or not, well-formed or not, while all goes well and while Redis is away", async () => {
    const redis = await startRedis();
    await redis.client.set(`token:${canary}`, "1");
    const env = {
      REDIS_USERS_URL: redis.url,
      REDIS_FEATURES_URL: redis.url,
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "trace",
      TIDEGATE_ADMIN_TOKEN: `${canary}-admin`,
      TIDEGATE_TOKEN_PEPPER: `${canary}-pepper`,
    };
    await using service = new TestProcess(["src/main.ts"], { ...env, TIDEGATE_CONFIG: "test/support/logging.yaml" });
    const url = await service.url();
    const answers: string[] = [];
    const send = async () => {
      for (const token of [canary, `${canary}x`, ...unlikelyTokens.map((unlikely) => canary + unlikely)]) {
        if (token.length > 5_000) continue;
        answers.push(await ask(url, basic(token)));
        if (/^[\x20-\x7e]*$/.test(token)) answers.push(await ask(url, bearer(token)));
        answers.push(await ask(`${url}/features?token=${encodeURIComponent(token)}&x=`));
        answers.push(await (await fetch(`${url}/${encodeURIComponent(token)}`, { method: "PUT" })).text());
        for (const path of [
          "/metrics",
          "/health/ready",
          `/admin/v1/cache?key=${encodeURIComponent(`token:${token}`)}`,
        ]) {
          answers.push(await (await fetch(url + path, { headers: bearer(`${canary}-admin`) })).text());
        }
        answers.push(await ask(url, { authorization: `Digest ${canary}`, "x-request-id": `${canary}/` }));
      }
      answers.push(
        (
          await sendRaw(
            url,
            `GET /features HTTP/1.1\r\nHost: x y\r\nConnection: close\r\nAuthorization: Bearer ${canary}\r\n\r\n`,
          )
        ).body,
      );
      answers.push(
        (await sendRaw(url, `GET /features HTTP/1.1\r\nAuthorization: Bearer ${canary}\u0000\r\n\r\n`)).body,
      );
    };
    await send();
    await redis.client.del(`token:${canary}`);
    await redis.client.sadd(`token:${canary}`, "a set");
    await send();
    await redis[Symbol.asyncDispose]();
    await until(() => service.stderr.includes("Redis connection lost"), "the outage is logged");
    await send();
    service.signal("SIGTERM");
    expect(await service.exit()).toBe(0);
    for (const line of ["started", "connected to Redis", "source failed", "request", "stopping", "stopped"]) {
      expect(service.stderr).toContain(`"msg":"${line}"`);
    }
    expect(service.stderr.match(/"msg":"request"/g)?.length).toBeGreaterThan(150);
    expect(service.stdout + service.stderr).not.toContain("canary");
    expect(service.stdout + service.stderr).not.toContain(Buffer.from(`:${canary}`).toString("base64").slice(0, 16));
    expect(answers.join()).not.toContain("canary");
  });
});
