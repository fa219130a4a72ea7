import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, redisRulesAt } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { bearer } from "../support/service.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

/** A kept connection, so that one worker serves all its requests. */
class Kept implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async call(method: string, path: string, token?: string, body?: string) {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string; isMarked: boolean }>();
    const headers = { ...(token && bearer(token)), ...(body && { "content-type": "application/json" }) };
    request(this.#url + path, { method, agent: this.#agent, headers }, (answer) => {
      const { statusCode: status = 0, headers } = answer;
      text(answer).then((read) => resolve({ status, body: read, isMarked: "cache-status" in headers }), reject);
    })
      .on("error", reject)
      .end(body);
    return promise;
  }

  /** The first response to a client that no late read affects. */
  async current(token?: string) {
    for (;;) {
      const answer = await this.call("GET", "/features", token);
      if (answer.status !== 503 && !answer.isMarked) return answer;
    }
  }

  /** The id of the responding process. */
  async pid(): Promise<number> {
    const { body } = await this.call("GET", "/admin/v1/cache?key=global_features", adminToken);
    return JSON.parse(body).pid;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

describe("an instance with two workers", () => {
  let users: RedisServer;
  let features: RedisServer;
  let proxy: TcpProxy;
  let service: TestProcess;
  let url: string;
  const workers: Kept[] = [];
  const folder = mkdtempSync(join(tmpdir(), "tidegate-workers-"));
  const file = join(folder, "tidegate.yaml");

  const serving = () => [...service.stderr.matchAll(/"pid":(\d+).*"msg":"started"/g)].map(([, pid]) => Number(pid));
  /** Connects to each worker. */
  const connect = async () => {
    const pids = new Set<number>();
    for (const worker of workers.splice(0)) worker[Symbol.dispose]();
    await until(async () => {
      const kept = new Kept(url);
      const pid = await kept.pid();
      if (pids.has(pid)) kept[Symbol.dispose]();
      else workers.push(kept);
      pids.add(pid);
      return pids.size === 2;
    }, "both workers answer");
  };

  beforeAll(async () => {
    users = await startRedis();
    features = await startRedis();
    proxy = await TcpProxy.to(features.port);
    // Without the channel, another worker would see a change only after this time. The lease lasts for a multiple of
    // it.
    proxy.delay(150, "TRACKING");
    await users.client.mset("token:1234", "1", "token:5678", "1");
    const rules = redisRulesAt(`redis://127.0.0.1:${proxy.port}`);
    writeFileSync(file, rules.replace(/users: .*/, `users: { kind: redis, url: "${users.url}" }`));
    service = new TestProcess(["src/main.ts"], {
      TIDEGATE_CONFIG: file,
      TIDEGATE_ADMIN_TOKEN: adminToken,
      PORT: "0",
      HOST: "127.0.0.1",
      WEB_CONCURRENCY: "2",
    });
    url = await service.url();
    await connect();
  }, 60_000);
  afterAll(async () => {
    for (const worker of workers) worker[Symbol.dispose]();
    await service[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await users[Symbol.asyncDispose]();
    await features[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("acknowledges a change of a set or a token once all workers have invalidated it", async () => {
    const [one, other] = workers as [Kept, Kept];
    const isFresh = async (worker: Kept) => {
      const { body } = await worker.call("GET", "/admin/v1/cache?key=global_features", adminToken);
      return JSON.parse(body).connections.every(({ cached }: { cached: { fresh: boolean } }) => cached.fresh);
    };
    for (const worker of workers) await until(() => isFresh(worker), "answers are cached");
    for (const method of ["PUT", "DELETE", "PUT"]) {
      const { status } = await one.call(method, "/admin/v1/sources/global/features/menu", adminToken);
      const seen = await Promise.all(workers.map((worker) => worker.current()));
      const expected = JSON.stringify({ active_features: method === "PUT" ? ["always", "menu"] : ["always"] });
      expect([status, ...seen.map(({ body }) => body)]).toEqual([200, expected, expected]);
    }
    const { body } = await one.call("POST", "/admin/v1/users/1/tokens", adminToken, "{}");
    const { token, id } = JSON.parse(body);
    expect((await other.current(token)).status).toBe(200);
    expect((await one.call("DELETE", `/admin/v1/users/1/tokens/${id}`, adminToken)).status).toBe(200);
    expect((await other.current(token)).status).toBe(401);
  });

  it("never rejects a token of an emptied store as unknown, in a worker that read nothing or was forked later", async () => {
    const [one, other] = workers as [Kept, Kept];
    expect((await one.current("1234")).status).toBe(200);
    await users.client.flushall();
    expect((await other.call("GET", "/features", "5678")).status).toBe(503);

    const pid = await other.pid();
    process.kill(await one.pid(), "SIGKILL");
    await until(() => serving().length === 3, "another worker has started");
    await connect();
    expect(new Set(await Promise.all(workers.map((worker) => worker.pid())))).toContain(pid);
    for (const worker of workers) expect((await worker.call("GET", "/features", "5678")).status).toBe(503);
  });

  it("acknowledges a change within seconds while a worker hangs", async () => {
    const [one, other] = workers as [Kept, Kept];
    const pid = await other.pid();
    process.kill(pid, "SIGSTOP");
    const { status } = await one.call("PUT", "/admin/v1/killed/menu", adminToken);
    process.kill(pid, "SIGCONT");
    expect(status).toBe(200);
    expect((await other.current()).body).toBe('{"active_features":["always"]}');
  });
});
