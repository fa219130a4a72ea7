import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawGet, sendRaw } from "../../../support/raw-http.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import {
  answerInTime,
  basic,
  bearer,
  isInTime,
  redisRules,
  settled,
  startService,
  type TestService,
  ways,
} from "../../../support/service.ts";
import { firstResult, until } from "../../../support/until.ts";
import { withinLease } from "../../../support/within-lease.ts";

const admin = "the-operators-credential";

describe.each(ways)("GET /metrics, with calls served %s", (_, way) => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    service = await startService(redisRules(redis.url, redis.url), { TIDEGATE_ADMIN_TOKEN: admin }, way);
    await service.readyWithin(10_000);
    await redis.client.set("token:1234", "1");
    await settled(redis.client, service);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  /** The value of each sample, by its name and labels. */
  async function figures(): Promise<Map<string, number>> {
    const text = await (await service.get("/metrics", basic(admin))).text();
    const lines = [...text.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)];
    return new Map(lines.map(([, name = "", value]) => [name, Number(value)]));
  }

  /** The samples that increased during `action`. */
  async function risen(during: () => Promise<unknown>): Promise<(name: string) => number> {
    const before = await figures();
    await during();
    const after = await figures();
    return (name) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  }

  const ask = async (path: string, headers: Record<string, string> = {}) => (await service.get(path, headers)).text();

  it("uses the Prometheus text format, and includes process metrics", async () => {
    const answer = await service.get("/metrics", bearer(admin));
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    for (const name of [
      "nodejs_eventloop_lag_p99_seconds",
      "nodejs_heap_size_used_bytes",
      "process_cpu_seconds_total",
    ]) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} .+\n# TYPE ${name} \\w+\n${name} [\\d.]+$`, "m"));
    }
    expect(text).not.toContain('quantile="');
  });

  it("counts requests by route and status, without labels from clients", async () => {
    // A first read of the token may be late, and then returns 503.
    await answerInTime(service, "/features", bearer("nobody"));
    const rise = await risen(async () => {
      for (const path of ["/features", "/features?location=madrid", "/nothing", "/features/x"]) {
        await ask(path);
      }
      await ask("/features", { "if-none-match": "*" });
      await ask("/features", bearer("nobody"));
      await ask("/docs/none");
      await fetch(`${service.url}/features`, { method: "HEAD" });
      await fetch(`${service.url}/features`, { method: "PUT" });
      await rawGet(service.url, "/a/../features");
      await sendRaw(service.url, "no request\r\n\r\n");
      await sendRaw(service.url, "GET /features HTTP/1.1\r\nHost: x\r\nExpect: much\r\nConnection: close\r\n\r\n");
      await until(async () => (await ask("/health")) !== "", "what was sent before is answered");
    });
    const calls = (route: string, status: number, method = "GET") =>
      rise(`tidegate_http_requests_total{route="${route}",method="${method}",status="${status}"}`);
    expect(calls("/features", 200)).toBe(2);
    expect(calls("/features", 200, "HEAD")).toBe(1);
    expect(calls("/features", 304)).toBe(1);
    expect(calls("/features", 401)).toBe(1);
    expect(calls("/docs/:asset", 404)).toBe(1);
    expect(calls("/health", 200)).toBe(1);
    expect([404, 400, 417].map((status) => calls("unmatched", status))).toEqual([2, 1, 1]);
    expect([calls("unmatched", 405, "PUT"), calls("unmatched", 501, "_OTHER")]).toEqual([1, 1]);
    const measured = (route: string, method: string) =>
      rise(`tidegate_http_request_duration_seconds_count{route="${route}",method="${method}"}`);
    expect([measured("/features", "GET"), measured("/features", "HEAD"), measured("/health", "GET")]).toEqual([
      4, 1, 1,
    ]);
    expect(rise('tidegate_http_request_duration_seconds_sum{route="/features",method="GET"}')).toBeGreaterThan(0);
    const routes = [...(await figures()).keys()].flatMap(
      (name) => /^tidegate_http_.*route="([^"]+)"/.exec(name)?.[1] ?? [],
    );
    expect(new Set(routes)).toEqual(new Set(["/features", "/health", "/docs/:asset", "/metrics", "unmatched"]));
  });

  // A repeated attempt needs a user of whom nothing is cached.
  let users = 0;

  it("counts evaluations, cache lookups and Redis commands", async () => {
    const reads = async () => {
      const stats = await redis.client.info("commandstats");
      const counted = [...stats.matchAll(/cmdstat_(?:pttl|srandmember):calls=(\d+)/g)];
      return counted.reduce((sum, [, calls]) => sum + Number(calls), 0);
    };
    const measured = async () => {
      users += 1;
      await redis.client.set(`token:user-${users}`, `${users}`);
      await settled(redis.client, service);
      const isCached = async () => {
        const before = await reads();
        const isMarked = (await service.get("/features")).headers.has("cache-status");
        return !isMarked && (await reads()) === before;
      };
      await until(isCached, "what is everyone's is cached");
      const before = await reads();
      const answers: Response[] = [];
      const rise = await risen(async () => {
        for (let count = 0; count < 4; count++) {
          const answer = await service.get("/features", bearer(`user-${users}`));
          await answer.text();
          answers.push(answer);
        }
      });
      return { rise, read: (await reads()) - before, answers };
    };
    const areInTime = ({ answers }: { answers: Response[] }) => answers.every(isInTime);
    const { rise, read } = await withinLease(() => firstResult(measured, areInTime, "the store answers in time"));
    const evaluations = (result: string) => rise(`tidegate_evaluations_total{result="${result}"}`);
    // The reads of the first call are cached, the result of the second.
    expect([evaluations("fresh"), evaluations("cached")]).toEqual([2, 2]);
    // The TTLs of the token and of the user's set, and the members of that set.
    expect(read).toBe(3);
    const lookups = (content: string, connection: string, result: string) =>
      rise(`tidegate_cache_lookups_total{connection="${connection}",content="${content}",result="${result}"}`);
    expect([lookups("tokens", "users", "hit"), lookups("tokens", "users", "miss")]).toEqual([1, 1]);
    expect(lookups("sets", "features", "miss")).toBe(1);
    // A fixed key that has changed is looked up once more in the background.
    expect(lookups("sets", "features", "hit")).toBeGreaterThanOrEqual(3);
    const [ofUsers, ofFeatures] = ["users", "features"].map((name) =>
      rise(`tidegate_redis_command_duration_seconds_count{connection="${name}"}`),
    );
    // One script reads the value, its lifetime and the marker; the outbox relay sends commands of its own.
    expect(ofUsers).toBeGreaterThanOrEqual(1);
    expect(ofFeatures).toBeGreaterThanOrEqual(1);
    let now = await figures();
    const isUp = async () => {
      now = await figures();
      return now.get('tidegate_invalidation_up{connection="features"}') === 1;
    };
    await until(isUp, "the lease is valid");
    expect(now.get('tidegate_invalidation_lag_seconds{connection="features"}')).toBeLessThan(1);
    expect(now.get('tidegate_invalidation_resyncs_total{connection="features"}')).toBeGreaterThanOrEqual(1);
    expect(now.get('tidegate_cache_keys{connection="features",content="sets"}')).toBeGreaterThanOrEqual(4);
    const invalidations = 'tidegate_invalidations_total{connection="features"}';
    await redis.client.sadd("active_features", "another");
    const isCounted = async () => ((await figures()).get(invalidations) ?? 0) > (now.get(invalidations) ?? 0);
    await until(isCounted, "the invalidation is counted");
  });

  it("reports failing sources, stale responses and an expired lease", async () => {
    await ask("/features");
    await redis[Symbol.asyncDispose]();
    const hasRunOut = async () => {
      const now = await figures();
      const [live, age = 0] = ["up", "lag_seconds"].map((name) =>
        now.get(`tidegate_invalidation_${name}{connection="features"}`),
      );
      return live === 0 && age > 1;
    };
    await until(hasRunOut, "the lease has run out");
    const rise = await risen(async () => {
      await until(async () => (await service.get("/features")).headers.has("age"), "answers are stale");
      expect((await service.get("/features", bearer("unknown"))).status).toBe(503);
    });
    expect(rise('tidegate_evaluations_total{result="stale"}')).toBeGreaterThanOrEqual(1);
    expect(rise('tidegate_source_failures_total{source="global"}')).toBeGreaterThanOrEqual(1);
    expect(rise('tidegate_source_failures_total{source="tokens"}')).toBe(1);
    expect(rise('tidegate_cache_lookups_total{connection="features",content="sets",result="stale"}')).toBeGreaterThan(
      2,
    );
    expect(rise('tidegate_cache_lookups_total{connection="users",content="tokens",result="error"}')).toBe(1);
  });
});
