import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { adminToken } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { emptied, type RedisServer, startRedis } from "../support/redis.ts";
import { answerInTime, bearer, redisRules, settled, startService, type TestService } from "../support/service.ts";
import { startUnleashServer } from "../support/unleash-server.ts";
import { until } from "../support/until.ts";

const hasRequests = spawnSync("python3", ["-c", "import requests"]).status === 0;

describe("the scripts of examples, with a token by HTTP Basic", () => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    service = await startService(redisRules(redis.url, redis.url));
    await service.readyWithin(20_000);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.set("token:1234", "1");
    await redis.client.sadd("features:user:1", "feature_3");
    await redis.client.sadd("active_features", "feature_3");
    await settled(redis.client, service);
    expect((await answerInTime(service, "/features", bearer("1234"))).status).toBe(200);
  });

  const run = (file: string, program: string) =>
    new TestProcess([file], { TIDEGATE_URL: service.url, TIDEGATE_TOKEN: "1234", PAUSE: "0.05" }, program);

  it("curl prints the features, and each new set of the stream", async () => {
    await using script = run("examples/curl/features.sh", "sh");
    const features = '{"active_features":["feature_3"]}';
    await until(() => script.stdout === `${features}\n${features}\n`, "the stream begins");
    await redis.client.srem("active_features", "feature_3");
    await until(() => script.stdout.endsWith('\n{"active_features":[]}\n'), "the change arrives");
    script.signalGroup("SIGTERM");
    expect(script.stderr).toBe("");
  });

  it.skipIf(!hasRequests)("Python's requests prints the features once, until they change", async () => {
    await using script = run("examples/python-requests/client.py", "python3");
    await until(() => script.stdout === "feature_3\n", "the features are printed");
    await redis.client.sadd("features:user:1", "feature_4");
    await redis.client.sadd("active_features", "feature_4");
    await until(() => script.stdout === "feature_3\nfeature_3 feature_4\n", "the new features are printed");
    expect(script.stderr).toBe("");
  });
});

describe("the example of a server with Unleash's backend SDK", () => {
  const documentWith = (enabled: boolean) =>
    `{"version":2,"features":[{"name":"chat","enabled":${enabled},"strategies":[{"name":"default"}]}]}`;

  it("sees a change, and starts while the Unleash server is down", async () => {
    await using unleash = await startUnleashServer(documentWith(true));
    const yaml = `
compatibility: { unleash: { source: unleash } }
sources: [{ name: unleash, kind: unleash, url: "${unleash.url}", token: server-token, pollSeconds: 1 }]
`;
    await using service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: adminToken });
    await service.readyWithin(20_000);
    const start = () =>
      new TestProcess(["examples/unleash-backend/server.mjs"], {
        UNLEASH_URL: `${service.url}/api/`,
        TIDEGATE_CREDENTIAL: adminToken,
        PORT: "0",
      });
    const ask = async ({ stdout }: TestProcess) => (await fetch(`${stdout.trim()}/7`)).text();
    await using app = start();
    await until(() => app.stdout !== "", "the app listens");
    expect(await ask(app)).toBe("chat is on for 7\n");
    unleash.document = documentWith(false);
    await until(async () => (await ask(app)) === "chat is off for 7\n", "the feature goes off");
    unleash.isDown = true;
    await using other = start();
    await until(() => other.stdout !== "", "another app listens");
    expect(await ask(other)).toBe("chat is off for 7\n");
  });
});
